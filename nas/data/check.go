package data

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"godarts/nas/names"
)

// Values of how for [Set.Check].
const (
	CheckDecode = "decode" // all of each file is read
	CheckHeader = "header" // its size and kind alone, which misses truncated files
)

// origin is the folder whose image i of p is, and its number there; nil if p are no files.
func origin(p Pictures, i int) (*folder, int) {
	for {
		switch from := p.(type) {
		case *folder:
			return from, i
		case slicedPictures:
			p, i = from.all, from.first+i
		case pickedPictures:
			p, i = from.all, from.picked[i]
		default:
			return nil, 0
		}
	}
}

// Check looks at the files of Train and, if test, of Test, by as many goroutines as there
// are processors, and gives those that cannot be used: those of Train first, each in the
// order of their names. A set that is not of files has none. progress, if not nil, is
// called after each file, by one goroutine at a time.
func (s *Set) Check(ctx context.Context, how string, test bool, progress func(done, of int)) (bad []Unreadable, err error) {
	parts := []*Images{s.Train}
	if test {
		parts = append(parts, s.Test)
	}
	all, done := 0, 0
	for _, m := range parts {
		if f, _ := origin(m.Pictures, 0); f == nil {
			return nil, nil
		}
		all += m.N
	}
	var mu sync.Mutex
	for _, m := range parts {
		var of []Unreadable
		var readers errgroup.Group
		readers.SetLimit(runtime.GOMAXPROCS(0))
		for i := range m.N {
			if ctx.Err() != nil {
				break
			}
			readers.Go(func() error {
				unreadable := checkFile(m, i, how)
				mu.Lock()
				defer mu.Unlock()
				if unreadable != nil {
					of = append(of, *unreadable)
				}
				if done++; progress != nil {
					progress(done, all)
				}
				return nil
			})
		}
		_ = readers.Wait() // none has an error
		slices.SortFunc(of, func(a, b Unreadable) int { return cmp.Compare(a.File, b.File) })
		bad = append(bad, of...)
	}
	return bad, ctx.Err()
}

// checkFile tells why image i of m cannot be used, nil if it can.
func checkFile(m *Images, i int, how string) *Unreadable {
	from, at := origin(m.Pictures, i)
	if how == CheckHeader {
		f, _, err := openPicture(filepath.Join(from.root, from.file(at)), from.maxPixels)
		if err != nil {
			return &Unreadable{from.file(at), cause(err).Error(), from.root}
		}
		f.Close()
		return nil
	}
	_, free, err := from.Decode(at)
	if err != nil {
		var unreadable *Unreadable
		errors.As(err, &unreadable) // as Decode promises
		return unreadable
	}
	free()
	return nil
}

// Without takes files out of Train and Test. It is an error if it leaves a class without
// the images that it had.
func (s *Set) Without(bad []Unreadable) error {
	if len(bad) == 0 {
		return nil
	}
	out := make(map[string]bool, len(bad))
	for _, u := range bad {
		out[u.File] = true
	}
	for _, m := range []**Images{&s.Train, &s.Test} {
		left, err := (*m).without(out, s.ClassNames)
		if err != nil {
			return err
		}
		*m = left
	}
	return nil
}

func (m *Images) without(out map[string]bool, classes []string) (*Images, error) {
	var picked []int
	before, after := make([]int, m.Classes), make([]int, m.Classes)
	left := *m
	left.Labels = nil
	for i, label := range m.Labels {
		before[label]++
		from, at := origin(m.Pictures, i)
		if from != nil && out[from.file(at)] {
			continue
		}
		after[label]++
		picked, left.Labels = append(picked, i), append(left.Labels, label)
	}
	for label, n := range after {
		if n == 0 && before[label] > 0 {
			from, _ := origin(m.Pictures, 0)
			return nil, fmt.Errorf("data: imagefolder: %s: none of the %s of the class can be read, and data.on_bad_file: skip leaves them out",
				names.Escape(filepath.Join(from.dir(), classes[label])), count(before[label], "image"))
		}
	}
	left.N, left.Pictures = len(picked), pickedPictures{m.Pictures, picked}
	return &left, nil
}
