package units

import "testing"

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0.0 KiB", 1536: "1.5 KiB", 1 << 20: "1.0 MiB", 30_996_349 * 4: "118.2 MiB", 1 << 30: "1.0 GiB", 5 << 29: "2.5 GiB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
