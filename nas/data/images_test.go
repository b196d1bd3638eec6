package data

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSlice(t *testing.T) {
	// Slice shares exactly the chosen images, and panics when the range is not inside.
	m := &Images{N: 3, Channels: 1, Height: 1, Width: 2, Pixels: []uint8{0, 1, 2, 3, 4, 5}, Labels: []uint16{7, 8, 9}}
	part := m.Slice(1, 3)
	if diff := cmp.Diff([]uint8{2, 3, 4, 5}, part.Pixels); diff != "" || part.N != 2 {
		t.Errorf("N = %d, pixels (-want +got):\n%s", part.N, diff)
	}
	if diff := cmp.Diff([]uint16{8, 9}, part.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	m.Pixels[2] = 99
	if part.Pixels[0] != 99 {
		t.Error("the slice does not share memory")
	}
	for _, c := range [][2]int{{-1, 2}, {2, 1}, {0, 4}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			want := fmt.Sprintf("data: slice %d..%d of 3 images", c[0], c[1])
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %s", got, want)
				}
			}()
			m.Slice(c[0], c[1])
		})
	}
}
