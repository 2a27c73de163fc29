// Package units words quantities for people where no library does it in this project's form.
package units

import "fmt"

// Bytes is a size for people, with one decimal in binary units: "7.5 KiB", "118.2 MiB", "2.5 GiB".
func Bytes(n int64) string {
	switch {
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
