//go:build linux && !race

package checkpoint_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// greedy are pickles that ask for as much memory as the limits let them.
var greedy = map[string]func() string{
	"dicts":   func() string { return batches("}", 950_000) },
	"filled":  func() string { return batches("}NNs", 230_000) },
	"tuples":  func() string { return batches("N\x85", 470_000) },
	"objects": func() string { return "\x80\x02cm\nM\nq\x000" + batches("h\x00)\x81", 310_000)[2:] },
	"strings": func() string {
		return "\x80\x02(" + strings.Repeat("B\x00\x00\x10\x00"+strings.Repeat("a", 1<<20), 31) + "t."
	},
	"keys": func() string {
		b := strings.Builder{}
		b.WriteString("\x80\x02}")
		for i := range uint32(330_000) {
			b.WriteString("J" + string(binary.LittleEndian.AppendUint32(nil, i)) + "Ns")
		}
		return b.String() + "."
	},
	"names": func() string {
		b := strings.Builder{}
		b.WriteString("\x80\x02")
		for i := range 490_000 {
			fmt.Fprintf(&b, "cm\n%x\n0", i)
		}
		return b.String() + "N."
	},
}

// batches is a list of n items, which are put there in batches as Python does it.
func batches(item string, n int) string {
	return "\x80\x02]" + strings.Repeat("("+strings.Repeat(item, 1000)+"e", n/1000) + "."
}

// TestGreedyFilesInOneGiB opens each greedy file in a process of its own, whose address space is 1 GiB.
func TestGreedyFilesInOneGiB(t *testing.T) {
	const variable = "CHECKPOINT_GREEDY"
	if name := os.Getenv(variable); name != "" {
		f, err := open(checkpointOf(greedy[name]()))
		if err == nil {
			_, err = f.Model()
		}
		fmt.Println("error:", err)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name := range greedy {
		cmd := exec.Command("sh", "-c", `ulimit -v 1048576 && exec "$0" -test.run '^TestGreedyFilesInOneGiB$'`, self)
		cmd.Env = append(os.Environ(), variable+"="+name)
		out, err := cmd.CombinedOutput()
		want := "error: there is no model in the file"
		if name == "names" {
			want = `error: record "x/data.pkl": at byte 85634 of the pickle: different names in the pickle: more than the limit of 10000`
		}
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v\n%.2000s", name, err, out)
		}
	}
}
