package replace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Target is the place that a file is written to.
type Target struct {
	Dir, Base string
	Exists    bool // a file is there
	Direct    bool // neither a file nor free to become one: a pipe or a device

	mode fs.FileMode // permissions of the file that is there
}

// Path is where the file is.
func (t *Target) Path() string { return filepath.Join(t.Dir, t.Base) }

// Find follows links and looks at what is there.
func Find(path string) (*Target, error) {
	if path == "" {
		return nil, errors.New("the path is empty")
	}
	stat, err := os.Stat(path)
	switch {
	case err == nil && stat.IsDir():
		return nil, errors.New("it is a folder; name a file in it")
	case err == nil && !stat.Mode().IsRegular():
		return &Target{Dir: filepath.Dir(path), Base: filepath.Base(path), Direct: true}, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil && os.IsPathSeparator(path[len(path)-1]):
		return nil, errors.New("the path names a folder that does not exist, not a file")
	}
	t := &Target{}
	if t.Dir, t.Base, err = follow(path); err != nil {
		return nil, err
	}
	if stat == nil {
		return t, nil
	}
	// The rename would not ask the file for permission; whoever protects a file wants it to.
	f, err := os.OpenFile(t.Path(), os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil, errors.New("the existing file is write-protected")
	} else if err != nil {
		return nil, err
	}
	t.Exists, t.mode = true, stat.Mode().Perm()
	return t, f.Close()
}

// follow gives the folder and the name of the file that a path leads to, which need not exist.
func follow(path string) (dir, base string, err error) {
	for range 40 { // as many links as Linux follows
		if dir, err = filepath.EvalSymlinks(filepath.Dir(path)); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = fmt.Errorf("the folder %s does not exist", filepath.Dir(path))
			}
			return "", "", err
		}
		base = filepath.Base(path)
		link, err := os.Readlink(filepath.Join(dir, base))
		if err != nil {
			return dir, base, nil // not a link, or nothing there
		}
		if path = link; !filepath.IsAbs(link) {
			path = filepath.Join(dir, link)
		}
	}
	return "", "", errors.New("too many symbolic links")
}

// Pour writes straight into a pipe or a device.
func (t *Target) Pour(write func(io.Writer) error) error {
	f, err := os.OpenFile(t.Path(), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		_ = f.Close() // err says more
		return err
	}
	return f.Close()
}
