package checkpoint

import (
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Damaged lists the records of a PyTorch checkpoint whose bytes do not have the CRC-32 that the archive's directory says,
// in the directory's order. Each record is read once, a block at a time; of safetensors, which have no checksums, there
// are none. Records beyond what an honest file of this size has are left out.
func (f *File) Damaged(ctx context.Context) ([]string, error) {
	if f.archive == nil {
		return nil, nil
	}
	var damaged []string
	block := make([]byte, blockBytes)
	stored, unpacked := f.Size, inflateBudget{limit: f.limits.InflatedSize} // records may overlap in a hostile file
	for _, rec := range f.archive.records {
		if rec.stored > stored {
			break
		}
		stored -= rec.stored
		section, err := f.archive.open(rec)
		if err != nil {
			return nil, err
		}
		var r io.Reader = section
		if rec.compressed {
			if err := unpacked.spend(rec); err != nil {
				return nil, err
			}
			r = io.LimitReader(flate.NewReader(section), rec.Size)
		}
		sum := crc32.NewIEEE()
		switch err := copyBlocks(ctx, sum, r, block); {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case rec.compressed && err != nil: // not even deflated data
			damaged = append(damaged, rec.Name)
		case err != nil:
			return nil, fmt.Errorf("record %q: %w", rec.Name, err)
		case sum.Sum32() != rec.checksum:
			damaged = append(damaged, rec.Name)
		}
	}
	return damaged, nil
}

// copyBlocks copies until the end of r, or of ctx.
func copyBlocks(ctx context.Context, w io.Writer, r io.Reader, block []byte) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(block)
		if _, err := w.Write(block[:n]); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
