package nas

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"godarts/nas/config"
)

func TestEffortOfKilled(t *testing.T) {
	// What a search takes is on the disk while it runs, and added to what it took before, when a contest may be killed at any moment.
	dir := t.TempDir()
	file := filepath.Join(dir, effortFile)
	if err := writeJSON(file, Effort{Seconds: 100, PeakBytes: 7}); err != nil {
		t.Fatal(err)
	}
	var seen Effort
	s := ContestSettings{Search: func(context.Context, string, *config.Config) (Effort, error) {
		for start := time.Now(); seen.Seconds <= 100 && time.Since(start) < time.Minute; time.Sleep(10 * time.Millisecond) {
			if err := readJSON(file, &seen); err != nil {
				return Effort{}, err
			}
		}
		return Effort{Seconds: 2, PeakBytes: 5}, context.Canceled
	}}
	_, err := s.search(t.Context(), dir, filepath.Join(dir, "search"), loadTiny(t, "tiny.yaml"))
	if !errors.Is(err, context.Canceled) || seen.Seconds < 100.5 || seen.Seconds > 160 || seen.PeakBytes != 7 {
		t.Errorf("during the search %+v, %v", seen, err)
	}
	var after Effort
	if err := readJSON(file, &after); err != nil || (after != Effort{Seconds: 102, PeakBytes: 7}) {
		t.Errorf("after the search %+v, %v", after, err)
	}
}
