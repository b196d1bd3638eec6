package data

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"godarts/nas/names"
)

// Values of how for [Set.Check].
const (
	CheckDecode = "decode" // each file is decoded
	CheckHeader = "header" // only its header is read: truncated files are missed
)

// Check reads the files of Train and, if test, of Test, with as many goroutines as there are
// processors. It returns the files that cannot be used: those of Train first, each part in
// the order of names. A set that does not consist of files has none. Check calls progress,
// if not nil, after each file, from one goroutine at a time.
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

// checkFile returns why image i of m cannot be used, nil if it can.
func checkFile(m *Images, i int, how string) *Unreadable {
	from, at := origin(m.Pictures, i)
	if how == CheckHeader {
		return from.CheckHeader(at)
	}
	_, free, err := from.Decode(at)
	if err != nil {
		var unreadable *Unreadable
		errors.As(err, &unreadable) // as Files promise
		return unreadable
	}
	free()
	return nil
}

// Without takes files out of Train and Test. A class that loses all its images is an error.
func (s *Set) Without(bad []Unreadable) error {
	if len(bad) == 0 {
		return nil
	}
	out := make(map[string]bool, len(bad))
	for _, u := range bad {
		out[u.File] = true
	}
	for _, m := range []**Images{&s.Train, &s.Test} {
		left, err := (*m).without(out)
		if err != nil {
			return err
		}
		*m = left
	}
	return nil
}

// without returns the images whose files are not in out.
func (m *Images) without(out map[string]bool) (*Images, error) {
	var picked []int
	before, after := make([]int, m.Classes), make([]int, m.Classes)
	left := *m
	left.Labels = nil
	for i, label := range m.Labels {
		before[label]++
		if out[m.File(i)] {
			continue
		}
		after[label]++
		picked, left.Labels = append(picked, i), append(left.Labels, label)
	}
	for label, n := range after {
		if n == 0 && before[label] > 0 {
			from, at := origin(m.Pictures, slices.Index(m.Labels, uint16(label)))
			return nil, fmt.Errorf("data: imagefolder: %s: none of the %s of the class can be read, and data.on_bad_file: skip would leave the class empty",
				names.Escape(from.ClassFolder(at)), names.Count(before[label], "image"))
		}
	}
	left.N, left.Pictures = len(picked), pickedPictures{m.Pictures, picked}
	return &left, nil
}
