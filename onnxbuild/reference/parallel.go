package reference

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls f for each of 0 … n-1, on as many goroutines as Go may use, and
// stops at the end of ctx.
func parallel(ctx context.Context, n int64, f func(i int64) error) error {
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make([]error, min(int64(runtime.GOMAXPROCS(0)), n))
	for worker := range errs {
		group.Go(func() {
			for i := next.Add(1) - 1; i < n; i = next.Add(1) - 1 {
				if errs[worker] = context.Cause(ctx); errs[worker] != nil {
					return
				}
				if errs[worker] = f(i); errs[worker] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}
