// Package replace writes files as a whole or not at all: into a temporary file in the same folder, which is then renamed, so
// that a reader never sees half a file, and any failure leaves the previous one as it was.
//
// Through a symbolic link, the file that it leads to is replaced. A new file has the permissions that the umask leaves, a
// replaced one keeps its own, and a file that is write-protected is not replaced. To what is neither file nor folder, such as
// a pipe or a device, the bytes are written directly.
package replace

import (
	"fmt"
	"io"
	"io/fs"
	"os"
)

// File replaces the file at a path by what write writes, of size bytes. With sync it has reached the disk in the end. What
// runs that were killed have left for the same path is removed, for which the folder is listed.
func File(path string, size int64, sync bool, write func(io.Writer) error) error {
	return file(path, size, sync, true, write)
}

// OneOfMany is [File] for content in memory, and does not list the folder: for files by the thousand. [Sweep] does, once,
// what is left out.
func OneOfMany(path string, content []byte) error {
	return file(path, int64(len(content)), false, false, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

func file(path string, size int64, sync, sweep bool, write func(io.Writer) error) error {
	if err := replaced(path, size, sync, sweep, write); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, Plain(err))
	}
	return nil
}

func replaced(path string, size int64, sync, sweep bool, write func(io.Writer) error) error {
	t, err := Find(path)
	if err != nil {
		return err
	}
	if t.Direct {
		return t.Pour(write)
	}
	if sweep {
		t.Sweep(nil)
	}
	tmp, err := t.Fill(size, sync, write)
	if err != nil {
		return err
	}
	defer tmp.Discard()
	if err := tmp.Rename(t.Path()); err != nil || !sync {
		return err
	}
	return SyncFolder(t.Dir)
}

// Plain removes the operation and the path that an error of package os begins with: the path is that of a temporary
// file. Errors that are wrapped deeper, such as that of a source of elements, stay whole.
func Plain(err error) error {
	switch e := err.(type) { //nolint:errorlint // only the outermost error is meant
	case *fs.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}
