package data

import (
	"context"
	"iter"
	"sync"
)

// Prefetch yields (step, load(step)) for from <= step < to, in order. Up to
// workers goroutines load at a time. While the loop's body runs, at most ahead
// later steps are loaded or being loaded. Both numbers are at least 1. load has to
// be safe for concurrent use.
//
// The loop ends early when ctx is done; ctx.Err() tells that from the last step.
// When the loop ends, in whatever way, its goroutines have ended: Prefetch waits for
// loads that have begun.
func Prefetch[T any](ctx context.Context, from, to, workers, ahead int, load func(step int) T) iter.Seq2[int, T] {
	ahead = max(ahead, 1)
	workers = min(max(workers, 1), ahead)
	return func(yield func(int, T) bool) {
		stop, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()

		// At most ahead steps are under way, and these have different slots. So neither
		// channel is ever full, and a worker blocks only where there is no work.
		steps := make(chan int, ahead)
		defer close(steps)
		defer cancel()
		slots := make([]chan T, ahead)
		for i := range slots {
			slots[i] = make(chan T, 1)
		}
		slot := func(step int) chan T { return slots[(step-from)%ahead] }
		for range workers {
			running.Go(func() {
				for step := range steps {
					if stop.Err() != nil {
						return
					}
					slot(step) <- load(step)
				}
			})
		}
		next := from
		for ; next < to && next-from < ahead; next++ {
			steps <- next
		}
		for step := from; step < to && ctx.Err() == nil; step++ {
			var v T
			select {
			case v = <-slot(step):
			case <-ctx.Done():
				return
			}
			if next < to {
				steps <- next
				next++
			}
			if !yield(step, v) {
				return
			}
		}
	}
}
