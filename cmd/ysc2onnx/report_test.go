package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestCommandLine has a shell read what is shown, which must give the arguments back.
func TestCommandLine(t *testing.T) {
	args := []string{"verify", "a b.onnx", "it's", `"x"\`, "$HOME", "--rtol=1e-5", "", "новый", "*", "a\nb"}
	line := commandLine(args)
	if got, want := commandLine([]string{"verify", "m.onnx", "--against", "it's.npz"}), `ysc2onnx verify m.onnx --against 'it'\''s.npz'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("platform: no shell: ", err)
	}
	out, err := exec.CommandContext(t.Context(), sh, "-c", strings.Replace(line, "ysc2onnx", `printf '%s\0'`, 1)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(out), strings.Join(args, "\x00")+"\x00"; got != want {
		t.Errorf("a shell reads %q of %s", got, line)
	}
}
