package onnxfile

import (
	"io"
	"os"

	"ysc2onnx/internal/protofile"
)

// ownData is the name of the data file that this package wrote for a model called base and that the file at path
// names; "" if there is none. Only such files are ever removed.
func ownData(path, base string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // it was only read
	stat, err := f.Stat()
	if err != nil {
		return ""
	}
	producer, location, err := dataOf(f, stat.Size(), func(name string) bool { return isDataName(name, base) })
	if err != nil || producer != Producer {
		return ""
	}
	return location
}

// dataOf reads of a model of size bytes who made it, and the first data file of its initializers that is wanted.
func dataOf(r io.ReaderAt, size int64, wanted func(name string) bool) (producer, location string, err error) {
	file := protofile.New(r)
	tensor := func(f protofile.Field) error {
		if f.Num != tensorExternalData || location != "" {
			return nil
		}
		key, value, err := file.KeyValue(f)
		if key == "location" && wanted(value) {
			location = value
		}
		return err
	}
	graph := func(f protofile.Field) error {
		if f.Num != graphInitializer {
			return nil
		}
		return file.Message(f, tensor)
	}
	err = file.Fields(protofile.Span{From: 0, To: size}, func(f protofile.Field) (err error) {
		switch f.Num {
		case modelProducerName:
			producer, err = file.String(f)
		case modelGraph:
			err = file.Message(f, graph)
		}
		return err
	})
	return producer, location, err
}
