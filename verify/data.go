package verify

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/x448/float16"

	"ysc2onnx/verify/engine"
)

// dataFiles are the files that hold the elements of a model's tensors: its own and those beside it.
type dataFiles struct {
	path string // of the model
	open map[string]*os.File
}

// file opens the file of that name beside the model; "" is the model itself.
func (d *dataFiles) file(name string) (*os.File, error) {
	if f := d.open[name]; f != nil {
		return f, nil
	}
	path := d.path
	if name != "" {
		path = filepath.Join(filepath.Dir(d.path), filepath.FromSlash(name))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if d.open == nil {
		d.open = map[string]*os.File{}
	}
	d.open[name] = f
	return f, nil
}

func (d *dataFiles) close() (err error) {
	for _, f := range d.open {
		err = errors.Join(err, f.Close())
	}
	return err
}

// floats reads all elements of a floating-point tensor.
func (d *dataFiles) floats(s Stored) ([]float64, error) {
	n, ok := engine.Elements(s.Dims)
	if !ok || n > maxElements || s.Offset < 0 || unitRoundoff(s.DType) == 0 {
		return nil, fmt.Errorf("its elements, %s %s, are stored in a way that is not read here", s.DType, engine.ShapeText(s.Dims))
	}
	f, err := d.file(s.File)
	if err != nil {
		return nil, err
	}
	size := s.DType.Size()
	raw := make([]byte, n*size)
	if _, err := f.ReadAt(raw, s.Offset); err != nil {
		return nil, err
	}
	values := make([]float64, n)
	for i := range values {
		b := raw[int64(i)*size:]
		switch s.DType {
		case engine.Float32:
			values[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		case engine.Float64:
			values[i] = math.Float64frombits(binary.LittleEndian.Uint64(b))
		case engine.Float16:
			values[i] = float64(float16.Frombits(binary.LittleEndian.Uint16(b)).Float32())
		case engine.BFloat16:
			values[i] = float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16))
		}
	}
	return values, nil
}

// unitRoundoff is the largest relative error of rounding to a floating-point type; 0 for other types.
func unitRoundoff(t engine.DType) float64 {
	switch t {
	case engine.Float64:
		return 0x1p-53
	case engine.Float32:
		return 0x1p-24
	case engine.Float16:
		return 0x1p-11
	case engine.BFloat16:
		return 0x1p-8
	}
	return 0
}

// smallest is the distance of the numbers next to 0 of a floating-point type.
func smallest(t engine.DType) float64 {
	switch t {
	case engine.Float16:
		return 0x1p-24
	case engine.Float32:
		return 0x1p-149
	case engine.BFloat16:
		return 0x1p-133
	}
	return 0
}
