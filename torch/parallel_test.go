package torch_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestParallel(t *testing.T) {
	// Every rank gets the sum over all ranks, round after round, and reads the caller's tensors, on one thread each, when several run side by side.
	for _, count := range []int{1, 2, 3, 5} {
		t.Run(fmt.Sprint(count, " ranks"), func(t *testing.T) {
			torchtest.Scope(t)
			threads := torch.Threads()
			x := torch.Arange(0, 4, 1, double)
			const rounds = 200
			sums := make([][]float64, count)
			single := make([]bool, count)
			torch.Parallel(count, func(r *torch.Rank) {
				if r.Count != count {
					panic(fmt.Sprint("of ", r.Count, " ranks"))
				}
				single[r.Index] = count == 1 || torch.Threads() == 1
				for round := range rounds {
					torch.Scoped(func() {
						part := x.MulScalar(float64(round * (r.Index + 1)))
						sums[r.Index] = append(sums[r.Index], r.AllReduce(part).Float64s()...)
					})
				}
			})
			var want []float64
			for round := range rounds {
				for i := range 4 {
					want = append(want, float64(i*round*count*(count+1)/2))
				}
			}
			for rank, got := range sums {
				if !slices.Equal(got, want) {
					t.Errorf("rank %d of %d: sums %v..., want %v...", rank, count, got[:12], want[:12])
				}
				if !single[rank] {
					t.Errorf("rank %d of %d: operators run on several threads", rank, count)
				}
			}
			if now := torch.Threads(); now != threads {
				t.Errorf("%d threads afterwards, %d before", now, threads)
			}
		})
	}
}

func TestParallelFails(t *testing.T) {
	// Parallel panics with the failure of the first rank, and no rank waits for ever, when one fails between sums.
	torchtest.Scope(t)
	for _, bad := range []int{0, 2} {
		var went atomic.Int32
		err := torch.Do(func() error {
			torch.Parallel(3, func(r *torch.Rank) {
				r.AllReduce(torch.Ones([]int{2}, single))
				if r.Index == bad {
					torch.Ones([]int{2}, single).Add(torch.Ones([]int{3}, single))
				}
				r.AllReduce(torch.Ones([]int{2}, single))
				went.Add(1)
			})
			return nil
		})
		var e *torch.Error
		if !errors.As(err, &e) || e.Op != "add" {
			t.Errorf("rank %d fails to add: got %v", bad, err)
		}
		if n := went.Load(); n != 0 {
			t.Errorf("%d ranks went on after rank %d had failed", n, bad)
		}
	}
}

func TestAllReduceShapes(t *testing.T) {
	// AllReduce names both shapes when ranks bring different ones.
	torchtest.Scope(t)
	err := torch.Do(func() error {
		torch.Parallel(2, func(r *torch.Rank) { r.AllReduce(torch.Ones([]int{2 + r.Index}, single)) })
		return nil
	})
	if err == nil || !errors.As(err, new(*torch.Error)) {
		t.Fatalf("got %v, wanted a *torch.Error", err)
	}
	want := "ranks 0 and 1 bring [2] and [3]"
	if e := new(torch.Error); !errors.As(err, &e) || e.Message != want {
		t.Errorf("got %q, want %q", e.Message, want)
	}
}

func TestParallelTensors(t *testing.T) {
	// A rank can use a tensor of the caller but not free it, cannot use another rank's, and the caller's are its own again afterwards.
	torchtest.Scope(t)
	x := torch.Ones([]int{2}, single)
	var of [2]torch.Tensor
	refused := make([][]error, 2)
	torch.Parallel(2, func(r *torch.Rank) {
		of[r.Index] = x.AddScalar(1)
		r.AllReduce(x)                           // until both are there
		uses := []func(){func() { of[1].Neg() }} // of the other rank
		if r.Index == 1 {
			uses = []func(){x.Free, func() { torch.Keep(x) }} // of the caller
		}
		for _, use := range uses {
			refused[r.Index] = append(refused[r.Index], torch.Do(func() error { use(); return nil }))
		}
		r.AllReduce(x)
	})
	for rank, errs := range refused {
		for i, err := range errs {
			if !errors.Is(err, torch.ErrNoScope) {
				t.Errorf("rank %d, use %d: got %v, want ErrNoScope", rank, i, err)
			}
		}
	}
	torchtest.Close(t, "x", x, torch.Ones([]int{2}, single), 0)
}

func TestParallelGoexit(t *testing.T) {
	// Parallel calls Goexit itself, after all ranks have ended, when one rank does.
	torchtest.Scope(t)
	for _, exits := range []int{0, 1} {
		ended := make(chan string, 1)
		var others atomic.Int32
		go func() {
			how := "it exited"
			defer func() { ended <- how }()
			torch.Scoped(func() {
				torch.Parallel(3, func(r *torch.Rank) {
					if r.Index == exits {
						runtime.Goexit()
					}
					defer others.Add(1)
					r.AllReduce(torch.Ones([]int{2}, double))
				})
			})
			how = "it returned"
		}()
		if how := <-ended; how != "it exited" || others.Load() != 2 {
			t.Errorf("rank %d exits: %s, and %d other ranks had ended", exits, how, others.Load())
		}
	}
	sum := 0.0 // and the workers that are left serve on
	torch.Parallel(3, func(r *torch.Rank) {
		if s := r.AllReduce(torch.Ones([]int{1}, double)).Item(); r.Index == 0 {
			sum = s
		}
	})
	if sum != 3 {
		t.Errorf("a sum over three ranks afterwards is %g", sum)
	}
}

func TestRankOver(t *testing.T) {
	// A rank that is used after Parallel has ended panics with *Error.
	torchtest.Scope(t)
	for _, count := range []int{2, 3} {
		var kept *torch.Rank
		torch.Parallel(count, func(r *torch.Rank) {
			if r.Index == 0 {
				kept = r
			}
		})
		if e := caught(t, func() { kept.AllReduce(torch.Ones([]int{1}, double)) }); e == nil || e.Message != fmt.Sprintf("rank 0 of %d has ended", count) {
			t.Errorf("%d ranks: got %v", count, e)
		}
	}
}
