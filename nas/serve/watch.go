package serve

import (
	"sync"
	"sync/atomic"
	"time"
)

// watch looks at the files of runs while somebody watches. It keeps nothing for those who watch but a
// signal, so that a slow one holds no memory.
type watch struct {
	index *index
	every time.Duration // between two looks at runs in progress and at watched ones
	scan  int           // looks from one scan for new runs to the next
	polls atomic.Int64  // looks so far

	mu       sync.Mutex
	watchers map[*watcher]bool
	stop     chan struct{} // ends the looking; nil while nobody watches
}

// watcher is one who watches a run, or the list if it has no name.
type watcher struct {
	name string
	wake chan struct{} // gets a value after a look
}

func newWatch(x *index) *watch {
	return &watch{index: x, every: 250 * time.Millisecond, scan: 4, watchers: map[*watcher]bool{}}
}

// join begins to watch. The caller has to call leave.
func (w *watch) join(name string) *watcher {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := &watcher{name: name, wake: make(chan struct{}, 1)}
	w.watchers[v] = true
	if w.stop == nil {
		w.stop = make(chan struct{})
		go w.poll(w.stop)
	}
	return v
}

// leave ends watching, and the looking with the last one.
func (w *watch) leave(v *watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.watchers, v)
	if len(w.watchers) == 0 && w.stop != nil {
		close(w.stop)
		w.stop = nil
	}
}

// poll looks at files and wakes those who watch, until stop is closed.
func (w *watch) poll(stop <-chan struct{}) {
	ticks := time.NewTicker(w.every)
	defer ticks.Stop()
	for n := 1; ; n++ {
		select {
		case <-stop:
			return
		case <-ticks.C:
		}
		w.polls.Add(1)
		if n%w.scan == 0 {
			w.index.scan(0)
		} else {
			w.index.look(w.names())
		}
		w.mu.Lock()
		for v := range w.watchers {
			select {
			case v.wake <- struct{}{}:
			default: // it has not yet taken the signal before
			}
		}
		w.mu.Unlock()
	}
}

// names returns the names of watched runs.
func (w *watch) names() map[string]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := map[string]bool{}
	for v := range w.watchers {
		names[v.name] = true
	}
	return names
}
