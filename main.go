// Command haoke is the appliance with its window: the whole server and the
// admin page in one desktop program. The server without a window is haoked.
package main

import (
	"os"

	"haoke/app"
)

func main() { os.Exit(app.Main(os.Args[1:])) }
