package serve

import (
	"encoding/json"
	"os"
	"path"
	"slices"
	"sync"

	"godarts/nas/runfolder"
)

// mostLosses is the number of runs whose losses are kept.
const mostLosses = 16

// losses keeps the training losses of the runs that were looked at last, line by line.
type losses struct {
	mu   sync.Mutex
	runs []*lossesOf // the one that was used last comes last
}

type lossesOf struct {
	name   string
	lines  tail
	values []float64
}

// of returns the losses of the run of that name.
func (l *losses) of(root *os.Root, name string) ([]float64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var it *lossesOf
	if at := slices.IndexFunc(l.runs, func(r *lossesOf) bool { return r.name == name }); at >= 0 {
		it = l.runs[at]
		l.runs = slices.Delete(l.runs, at, at+1)
	} else {
		it = &lossesOf{name: name, lines: tail{file: path.Join(name, runfolder.MetricsFile)}}
	}
	l.runs = append(l.runs, it)
	if len(l.runs) > mostLosses {
		l.runs = slices.Delete(l.runs, 0, 1)
	}
	err := it.lines.next(root, func() { it.values = nil }, func(line []byte) {
		var m runfolder.Metric
		if json.Unmarshal(withoutCells(line), &m) == nil && m.TrainLoss != nil {
			it.values = append(it.values, *m.TrainLoss)
		}
	})
	return slices.Clone(it.values), err
}
