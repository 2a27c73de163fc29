package diag

import "fmt"

// Quote puts text of a file in quotes for a message, its beginning if it is long.
func Quote(s string) string {
	const most = 60
	if len(s) > most {
		return fmt.Sprintf("%q...", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
