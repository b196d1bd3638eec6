package torch_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"godarts/torch"
	"godarts/torch/torchtest"
)

// liveTensors fails the test unless n more tensors live than before.
func liveTensors(t *testing.T, before, n int) {
	t.Helper()
	if got := torch.Live() - before; got != n {
		t.Errorf("%d tensors live, want %d", got, n)
	}
}

func TestDo(t *testing.T) {
	// Do frees every tensor of its scope when fn returns, fails or panics.
	broken := errors.New("broken")
	for _, test := range []struct {
		name string
		fn   func() error
		want string
	}{
		{"returns", func() error { torch.Zeros(nil, single).Neg(); return nil }, "<nil>"},
		{"fails", func() error { torch.Zeros(nil, single); return broken }, "broken"},
		{"panics with *Error", func() error { torch.Zeros([]int{2}, single).View(3); return nil },
			"torch: view [2]: shape '[3]' is invalid for input of size 2"},
		{"nests", func() error {
			torch.Zeros(nil, single)
			return torch.Do(func() error { torch.Zeros(nil, single); return broken })
		}, "broken"},
		{"panics in the inner one", func() error {
			torch.Zeros(nil, single)
			err := torch.Do(func() error { torch.Zeros([]int{2}, single).View(3); return nil })
			if torch.Zeros(nil, single).Item() != 0 {
				t.Error("the outer scope is broken")
			}
			return fmt.Errorf("outer: %w", err)
		}, "outer: torch: view [2]: shape '[3]' is invalid for input of size 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := torch.Live()
			err := torch.Do(test.fn)
			if got := fmt.Sprint(err); got != test.want {
				t.Errorf("error\n got %s\nwant %s", got, test.want)
			}
			liveTensors(t, before, 0)
		})
	}
}

func TestDoPassesPanics(t *testing.T) {
	// A panic that is no *Error goes through Do, which closes its scope, when fn panics.
	before := torch.Live()
	defer func() {
		if v := recover(); v != "mine" {
			t.Errorf("recovered %v", v)
		}
		liveTensors(t, before, 0)
		// The thread has no scope any more.
		if e := caught(t, func() { torch.Zeros(nil, single) }); !errors.Is(e, torch.ErrNoScope) {
			t.Errorf("error %v", e)
		}
	}()
	err := torch.Do(func() error {
		torch.Zeros(nil, single)
		panic("mine")
	})
	t.Errorf("Do returned %v", err)
}

func TestGoexit(t *testing.T) {
	// Do and Scoped close their scopes when runtime.Goexit ends the goroutine.
	before := torch.Live()
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := torch.Do(func() error {
			torch.Zeros(nil, single)
			torch.Scoped(func() {
				torch.Zeros(nil, single)
				runtime.Goexit()
			})
			return nil
		})
		t.Errorf("Do returned %v", err)
	}()
	<-done
	liveTensors(t, before, 0)
}

func TestKeep(t *testing.T) {
	// Keep moves a tensor one scope out when it is called, as often as there are scopes.
	before := torch.Live()
	err := torch.Do(func() error {
		var once, twice torch.Tensor
		torch.Scoped(func() {
			torch.Scoped(func() {
				once = torch.Keep(torch.Scalar(1, single))
				twice = torch.Keep(torch.Keep(torch.Scalar(2, single)))
				torch.Scalar(3, single)
				liveTensors(t, before, 3)
			})
			liveTensors(t, before, 2)
			if once.Item() != 1 {
				t.Error("the kept tensor has changed")
			}
		})
		liveTensors(t, before, 1)
		if twice.Item() != 2 {
			t.Error("the tensor kept twice has changed")
		}
		if e := caught(t, func() { once.Item() }); !errors.Is(e, torch.ErrFreed) {
			t.Errorf("error %v", e)
		}
		e := caught(t, func() { torch.Keep(twice) })
		if e == nil || e.Error() != "torch: keep []: no scope encloses the one that the tensor is in" || e.Kind != torch.ErrNoScope {
			t.Errorf("error %v", e)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	liveTensors(t, before, 0)
}

func TestKeepWith(t *testing.T) {
	// KeepWith moves a tensor to its owner's scope, however far out, and leaves one that outlives the owner where it is.
	before := torch.Live()
	err := torch.Do(func() error {
		var kept, inner torch.Tensor
		outer := torch.Scalar(1, single)
		torch.Scoped(func() {
			owner := torch.Scalar(2, single)
			torch.Scoped(func() {
				torch.Scoped(func() {
					kept = torch.KeepWith(torch.Scalar(3, single), outer)
					inner = torch.KeepWith(torch.Scalar(4, single), owner)
					torch.KeepWith(outer, owner)
					torch.KeepWith(kept, kept)
				})
			})
			liveTensors(t, before, 4)
			if kept.Item() != 3 || inner.Item() != 4 {
				t.Error("a kept tensor has changed")
			}
		})
		liveTensors(t, before, 2)
		if outer.Item() != 1 || kept.Item() != 3 {
			t.Error("a tensor of the outer scope has changed")
		}
		if e := caught(t, func() { torch.KeepWith(kept, inner) }); !errors.Is(e, torch.ErrFreed) {
			t.Errorf("with a freed owner: error %v", e)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	liveTensors(t, before, 0)
}

func TestKeepThenFree(t *testing.T) {
	// A box serves one tensor at a time when tensors were kept, freed and made again.
	torchtest.Scope(t)
	before := torch.Live()
	for round := range 50 {
		var kept []torch.Tensor
		torch.Scoped(func() {
			for i := range 20 {
				x := torch.Scalar(float64(i), single)
				switch i % 4 {
				case 0:
					kept = append(kept, torch.Keep(x))
				case 1:
					x.Free()
				case 2:
					torch.Keep(x).Free()
				}
			}
			liveTensors(t, before, 5*(round+2))
		})
		liveTensors(t, before, 5*(round+1))
		for i, x := range kept {
			if x.Item() != float64(4*i) {
				t.Fatalf("round %d: kept tensor %d is %v", round, i, x)
			}
		}
	}
}

func TestFree(t *testing.T) {
	// A freed tensor is an error, and its views live on, when it is used again.
	torchtest.Scope(t)
	before := torch.Live()
	x := torch.FromSlice([]float64{1, 2}, 2)
	view := x.Select(0, 1)
	x.Free()
	liveTensors(t, before, 1)
	if view.Item() != 2 {
		t.Error("the view lost its element")
	}
	for _, use := range []func(){x.Free, func() { x.Neg() }, func() { torch.Keep(x) }, func() { x.Float64s() }} {
		if e := caught(t, use); !errors.Is(e, torch.ErrFreed) {
			t.Errorf("error %v", e)
		}
	}
	// The box serves another scope's tensor later: the old handle stays freed.
	torch.Scoped(func() { x = torch.Zeros(nil, single) })
	for range 600 {
		torch.Zeros(nil, single)
	}
	if e := caught(t, func() { x.Item() }); !errors.Is(e, torch.ErrFreed) {
		t.Errorf("error %v", e)
	}
	liveTensors(t, before, 601)
}

func TestGraphOutlivesScope(t *testing.T) {
	// A kept loss keeps what its gradient needs when the scope of the forward pass has closed.
	torchtest.Scope(t)
	x := torch.FromSlice([]float64{3}, 1).RequiresGrad_(true)
	var loss torch.Tensor
	torch.Scoped(func() { loss = torch.Keep(x.Square().Square().Sqrt().Sum()) })
	loss.Backward(torch.BackwardOptions{})
	torchtest.Close(t, "gradient", x.Grad(), torch.FromSlice([]float64{6}, 1), 1e-15)
}

func TestOtherGoroutine(t *testing.T) {
	// A tensor is an error in another goroutine when that has a scope of its own, and stays whole.
	torchtest.Scope(t)
	x := torch.Ones([]int{2}, single)
	errs := make(chan error)
	go func() {
		errs <- torch.Do(func() error { torch.Ones([]int{3}, single).Add(x); return nil })
	}()
	err := <-errs
	if want := "torch: add [3] elsewhere: the tensor belongs to a scope of another goroutine"; fmt.Sprint(err) != want || !errors.Is(err, torch.ErrNoScope) {
		t.Errorf("error\n got %v\nwant %s", err, want)
	}
	if x.Sum().Item() != 2 {
		t.Error("the tensor has changed")
	}
}

func TestManyGoroutines(t *testing.T) {
	// Scopes do not mix when many goroutines use theirs at once.
	before := torch.Live()
	errs := make(chan error)
	const goroutines = 8
	for g := range goroutines {
		go func() {
			errs <- torch.Do(func() error {
				sum := torch.Scalar(0, double)
				for i := range 50 {
					torch.Scoped(func() { sum.Add_(torch.Scalar(float64(g*i), double)) })
					runtime.Gosched()
				}
				if got, want := sum.Item(), float64(g*49*50/2); got != want {
					return fmt.Errorf("sum of goroutine %d: %v, want %v", g, got, want)
				}
				return nil
			})
		}()
	}
	for range goroutines {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	liveTensors(t, before, 0)
}

func TestEndedThread(t *testing.T) {
	// The tensors of a goroutine that ends without closing its scope are freed, and no later goroutine can use them, even one whose thread lies at the same place.
	before := torch.Live()
	kept, done := make(chan torch.Tensor), make(chan struct{})
	defer close(done)
	var start func()
	start = func() {
		runtime.LockOSThread()
		if syscall.Gettid() == os.Getpid() { // the first thread never ends
			go start()
			<-done
			runtime.UnlockOSThread()
			return
		}
		torch.Enter()
		kept <- torch.Ones([]int{3}, torch.Options{})
	}
	go start()
	x := <-kept
	for deadline := time.Now().Add(2 * time.Minute); torch.Live() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d tensors live, %d before", torch.Live(), before)
		}
	}
	for range 8 {
		failed := make(chan error)
		go func() {
			failed <- torch.Do(func() error {
				x.Sum()
				return nil
			})
			runtime.LockOSThread() // ends the thread, so that the next has its place
		}()
		if err := <-failed; !errors.Is(err, torch.ErrFreed) {
			t.Errorf("got %v", err)
		}
	}
}
