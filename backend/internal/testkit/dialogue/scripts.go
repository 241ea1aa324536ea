package dialogue

// scripts lists every script.
func scripts() []*script { return []*script{english(), chinese()} }
