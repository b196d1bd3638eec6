package data

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPrefetchOrder(t *testing.T) {
	// Steps come in order, each once, when loads take different times.
	for _, c := range []struct{ from, to, workers, ahead int }{
		{0, 20, 4, 8}, {0, 20, 1, 1}, {3, 20, 8, 2}, {-5, 5, 3, 4}, {0, 2, 4, 8}, {5, 5, 2, 2}, {5, 4, 2, 2}, {0, 5, 0, 0}, {0, 5, -1, -1},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				load := func(step int) string {
					time.Sleep(time.Duration((step*7919%13+13)%13) * time.Millisecond)
					return fmt.Sprint("step ", step)
				}
				var got, want []string
				for step := c.from; step < c.to; step++ {
					want = append(want, fmt.Sprintf("%d: step %d", step, step))
				}
				for step, v := range Prefetch(t.Context(), c.from, c.to, c.workers, c.ahead, load) {
					got = append(got, fmt.Sprintf("%d: %s", step, v))
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestPrefetchLimits(t *testing.T) {
	// All workers run, and exactly ahead steps are prepared, when the loop's body is slow.
	for _, c := range []struct{ workers, ahead int }{{1, 1}, {1, 3}, {2, 3}, {3, 3}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var active, most, begun atomic.Int64
				load := func(step int) int {
					begun.Add(1)
					if now := active.Add(1); now > most.Load() {
						most.Store(now)
					}
					time.Sleep(time.Second)
					active.Add(-1)
					return step
				}
				for step := range Prefetch(t.Context(), 0, 20, c.workers, c.ahead, load) {
					time.Sleep(time.Minute)
					if got, want := begun.Load(), int64(min(step+1+c.ahead, 20)); got != want {
						t.Fatalf("in step %d: %d loads begun, want %d", step, got, want)
					}
				}
				if most.Load() != int64(c.workers) {
					t.Errorf("at most %d loads at a time, want %d", most.Load(), c.workers)
				}
			})
		})
	}
}

func TestPrefetchLeavesNothing(t *testing.T) {
	// No load runs and no goroutine is left when the loop has ended, in whatever way. A goroutine that
	// still waits for work makes synctest.Test panic. Counting the process's goroutines would also count
	// those of earlier tests that are about to end.
	for _, c := range []struct {
		name string
		end  func(cancel func()) bool // in step 3; true breaks
	}{
		{"to the end", func(func()) bool { return false }},
		{"break", func(func()) bool { return true }},
		{"cancel", func(cancel func()) bool { cancel(); return false }},
		{"cancel and break", func(cancel func()) bool { cancel(); return true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var active, begun atomic.Int64
				load := func(step int) int {
					begun.Add(1)
					active.Add(1)
					time.Sleep(time.Second)
					active.Add(-1)
					return step
				}
				last := 0
				for step := range Prefetch(ctx, 0, 10, 3, 5, load) {
					last = step
					if step == 3 && c.end(cancel) {
						break
					}
				}
				if n := active.Load(); n != 0 {
					t.Errorf("%d loads running after the loop", n)
				}
				if want := map[bool]int{true: 9, false: 3}[c.name == "to the end"]; last != want {
					t.Errorf("last step %d, want %d", last, want)
				}
				n := begun.Load()
				time.Sleep(time.Hour)
				if begun.Load() != n {
					t.Error("loads begin after the loop")
				}
			})
		})
	}
}

func TestPrefetchCancelledWhileWaiting(t *testing.T) {
	// The loop ends without another step when the context is done before a load is.
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		steps := 0
		for range Prefetch(ctx, 0, 10, 1, 1, func(step int) int { time.Sleep(time.Second); return step }) {
			steps++
		}
		if steps != 2 {
			t.Errorf("%d steps, want 2", steps)
		}
	})
}

func TestPrefetchTwice(t *testing.T) {
	// The sequence starts from the beginning when it is ranged over again.
	steps := Prefetch(t.Context(), 0, 3, 2, 2, func(step int) int { return step * step })
	for range 2 {
		var got []int
		for _, v := range steps {
			got = append(got, v)
		}
		if diff := cmp.Diff([]int{0, 1, 4}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
