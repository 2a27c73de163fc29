package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// until waits for a text in what a program prints.
type until struct {
	printed bytes.Buffer
	texts   []string
	done    func() // called with each text that was found
}

func (u *until) Write(p []byte) (int, error) {
	n, err := u.printed.Write(p)
	for len(u.texts) > 0 && strings.Contains(u.printed.String(), u.texts[0]) {
		u.texts = u.texts[1:]
		u.done()
	}
	return n, err
}

// TestWatch: a file that is saved is checked again, and an interruption ends it well.
func TestWatch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.yaml")
	save := func(module string) {
		text := "nc: 2\ndepth_multiple: 1.0\nwidth_multiple: 1.0\nanchors: 3\nbackbone:\n  - [-1, 1, " + module + ", [16, 3, 2]]\nhead:\n  - [[0], 1, Detect, [nc, anchors]]\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
	save("Covn")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	steps := []func(){func() { save("Conv") }, cancel}
	out := &until{texts: []string{`there is no module "Covn"`, "m.yaml: ok"}}
	out.done = func() {
		steps[0]()
		steps = steps[1:]
	}
	code := run(ctx, []string{"lint", path, "--watch"}, strings.NewReader(""), out, &bytes.Buffer{})
	if code != exitOK || len(steps) > 0 {
		t.Errorf("exit code %d, %d steps left; printed\n%s", code, len(steps), out.printed.String())
	}
}
