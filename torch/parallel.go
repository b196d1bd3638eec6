package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_all_reduce
// #cgo noescape torch_group_close
// #cgo noescape torch_group_fail
// #cgo noescape torch_group_open
// #cgo noescape torch_rank_begin
// #cgo noescape torch_rank_end
// #cgo nocallback torch_all_reduce
// #cgo nocallback torch_group_close
// #cgo nocallback torch_group_fail
// #cgo nocallback torch_group_open
// #cgo nocallback torch_rank_begin
// #cgo nocallback torch_rank_end
import "C"

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Rank is one of the goroutines that compute a whole together, in [Parallel].
type Rank struct {
	Index, Count int
	group        *C.torch_group // nil if Count is 1
	over         atomic.Bool    // fn has returned: the group may be gone
}

// Parallel runs fn count times, at most 1024, side by side, each in a scope of its own on a locked
// thread, and returns when all have ended; rank 0 runs on the caller's goroutine. An
// operator that a rank calls runs only on the thread of the rank: where the threads of one
// operator wait for each other at its end, ranks wait only at an AllReduce.
//
// All ranks can use tensors of the caller's scopes. Nobody may free one of them meanwhile,
// and only one rank may write to the same part of one.
//
// Modes such as NoGrad hold on rank 0 as they do for the caller, and on the others as
// on a new goroutine, but NoReads holds on all. If a rank panics, the others do so at their next AllReduce, and
// Parallel with what the first one panicked with. If one calls [runtime.Goexit], Parallel does.
func Parallel(count int, fn func(r *Rank)) {
	NeedFunction("parallel", fn == nil)
	if count > maxThreads {
		Misuse("parallel", "%d ranks, wanted at most %d", count, maxThreads)
	}
	if count < 2 {
		Scoped(func() { fn(&Rank{Count: 1}) })
		return
	}
	var group *C.torch_group
	if e := C.torch_group_open(C.int64_t(count), &group); e != nil {
		throw("parallel", e)
	}
	defer C.torch_group_close(group)
	defer SetThreads(Threads())

	unread := InNoReads()
	var failed sync.Once
	var failure any // what the first rank that failed panicked with; nil of one that called Goexit
	var exited bool
	run := func(index int) {
		r, returned := &Rank{Index: index, Count: count, group: group}, false
		defer func() {
			r.over.Store(true)
			if e := recover(); e != nil || !returned {
				failed.Do(func() { failure, exited = e, e == nil })
				C.torch_group_fail(group)
			}
		}()
		Scoped(func() {
			C.torch_rank_begin(group)
			defer C.torch_rank_end()
			fn(r)
		})
		returned = true
	}
	var others sync.WaitGroup
	defer others.Wait() // also where rank 0 calls Goexit, before the group closes
	for index := 1; index < count; index++ {
		w := takeWorker()
		others.Add(1)
		w <- func() {
			defer others.Done()
			if unread {
				defer noReads()()
			}
			run(index)
			giveBack(w) // not after Goexit, which ends the worker
		}
	}
	run(0)
	others.Wait()
	if exited {
		runtime.Goexit()
	}
	if failure != nil {
		panic(failure)
	}
}

// A worker runs what it is sent on a thread of its own, for as long as the process
// lives: to malloc, a new thread's memory is not that which the last one has freed.
type worker chan func()

// workers are those with nothing to do.
var workers struct {
	sync.Mutex
	idle []worker
}

func takeWorker() worker {
	workers.Lock()
	defer workers.Unlock()
	if last := len(workers.idle) - 1; last >= 0 {
		w := workers.idle[last]
		workers.idle = workers.idle[:last]
		return w
	}
	w := make(worker)
	go func() {
		runtime.LockOSThread()
		for run := range w {
			run()
		}
	}()
	return w
}

func giveBack(w worker) {
	workers.Lock()
	defer workers.Unlock()
	workers.idle = append(workers.idle, w)
}

// AllReduce is the sum over all ranks of what each calls it with, tensors of one shape,
// added in the order of ranks: the same to the last bit for all. Every rank has to call
// it. t must not be written to afterwards: with one rank, the sum is in t's memory.
func (r *Rank) AllReduce(t Tensor) Tensor {
	if r.over.Load() {
		Misuse("all_reduce", "rank %d of %d has ended", r.Index, r.Count)
	}
	if r.group == nil {
		return t.ViewAs(t)
	}
	var ret Tensor
	if e := C.torch_all_reduce(r.group, C.int64_t(r.Index), t.h, &ret.h); e != nil {
		throw("all_reduce", e, t)
	}
	return ret
}

// RanksFor is the number of ranks to share n images, or other rows of a batch, out to: as
// many as an operator has threads on the CPU; one on a GPU.
func RanksFor(n int, d Device) int {
	if d.GPUForm() {
		return 1
	}
	return max(1, min(Threads(), n))
}

// Share is the rank's part of n rows: count of them, from first.
func (r *Rank) Share(n int) (first, count int) {
	if r.Count < 1 {
		Misuse("share", "rank %d of %d", r.Index, r.Count)
	}
	first = n * r.Index / r.Count
	return first, n*(r.Index+1)/r.Count - first
}
