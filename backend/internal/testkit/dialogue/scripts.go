package dialogue

// scripts lists every script: two that recall was tuned with, two that it was not.
func scripts() []*script { return []*script{english(), chinese(), travel(), repair()} }
