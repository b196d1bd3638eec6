package cifar

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/data"
)

// encodeRecords encodes images as the CIFAR files do.
func encodeRecords(m *data.Images) []byte {
	var raw []byte
	for i := range m.N {
		raw = append(raw, byte(m.Labels[i]))
		raw = append(raw, m.Pixels[i*pixels:(i+1)*pixels]...)
	}
	return raw
}

// noise returns n images of noise.
func noise(seed uint64, n int) *data.Images {
	r := rand.New(rand.NewPCG(seed, 0))
	m := cifar10.empty(n)
	m.N = n
	for range n {
		m.Labels = append(m.Labels, uint16(r.IntN(10)))
	}
	for range n * pixels {
		m.Pixels = append(m.Pixels, uint8(r.IntN(256)))
	}
	return m
}

const classNames = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n"

// plant writes a small set, n images a file, below a new root.
func plant(t *testing.T, n int) (root string, images []*data.Images) {
	t.Helper()
	root = t.TempDir()
	put(t, root, cifar10.names, []byte(classNames))
	for i, name := range append(slices.Clone(cifar10.train), cifar10.test) {
		m := noise(uint64(i), n)
		images = append(images, m)
		put(t, root, name, encodeRecords(m))
	}
	return root, images
}

// put writes a file of the set.
func put(t *testing.T, root, name string, content []byte) {
	t.Helper()
	dir := filepath.Join(root, cifar10.folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCIFAR(t *testing.T) {
	// A set reads back in file order when its files are whole.
	root, images := plant(t, 3)
	set, err := cifar10.read(root, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := cifar10.empty(0)
	for _, m := range images[:5] {
		want.N += m.N
		want.Pixels = append(want.Pixels, m.Pixels...)
		want.Labels = append(want.Labels, m.Labels...)
	}
	if diff := cmp.Diff(want, set.Train); diff != "" {
		t.Errorf("train (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(images[5], set.Test); diff != "" {
		t.Errorf("test (-want +got):\n%s", diff)
	}
	if len(set.ClassNames) != 10 || set.ClassNames[9] != "truck" {
		t.Errorf("class names %q", set.ClassNames)
	}
	if want := (data.Augment{Pad: 4, Flip: true}); set.Augment != want {
		t.Errorf("augment %+v, want %+v", set.Augment, want)
	}
}

func TestCIFARErrors(t *testing.T) {
	// The error is one line that names the file and the remedy when something is wrong with a set.
	hint := "; `darts data get cifar10 --root ROOT` downloads it"
	for _, c := range []struct {
		name    string
		damage  func(t *testing.T, root string)
		records int
		want    string
	}{
		{"missing file", func(t *testing.T, root string) {
			if err := os.Remove(filepath.Join(root, cifar10.folder, "data_batch_3.bin")); err != nil {
				t.Fatal(err)
			}
		}, 2, "data: cifar10: ROOT/cifar-10-batches-bin/data_batch_3.bin: file does not exist" + hint},
		{"missing set", func(t *testing.T, root string) {
			if err := os.RemoveAll(filepath.Join(root, cifar10.folder)); err != nil {
				t.Fatal(err)
			}
		}, 2, "data: cifar10: ROOT/cifar-10-batches-bin/data_batch_1.bin: file does not exist" + hint},
		{"missing names", func(t *testing.T, root string) {
			if err := os.Remove(filepath.Join(root, cifar10.folder, cifar10.names)); err != nil {
				t.Fatal(err)
			}
		}, 2, "data: cifar10: ROOT/cifar-10-batches-bin/batches.meta.txt: file does not exist" + hint},
		{"truncated", func(t *testing.T, root string) {
			put(t, root, cifar10.test, encodeRecords(noise(1, 2))[:6145])
		}, 2, "data: cifar10: ROOT/cifar-10-batches-bin/test_batch.bin: truncated: 6145 bytes are 1 records of 3073 and 3072 bytes more" + hint},
		{"record too few", func(t *testing.T, root string) {
			put(t, root, "data_batch_2.bin", encodeRecords(noise(1, 1)))
		}, 2, "data: cifar10: ROOT/cifar-10-batches-bin/data_batch_2.bin: 1 records, want 2" + hint},
		{"record too many", func(t *testing.T, root string) {
			put(t, root, "data_batch_2.bin", encodeRecords(noise(1, 3)))
		}, 2, "data: cifar10: ROOT/cifar-10-batches-bin/data_batch_2.bin: 3 records, want 2" + hint},
		{"empty file", func(t *testing.T, root string) {
			put(t, root, "data_batch_1.bin", nil)
		}, 2, "data: cifar10: ROOT/cifar-10-batches-bin/data_batch_1.bin: 0 records, want 2" + hint},
		{"label", func(t *testing.T, root string) {
			m := noise(1, 2)
			m.Labels[1] = 10
			put(t, root, "data_batch_5.bin", encodeRecords(m))
		}, 0, "data: cifar10: ROOT/cifar-10-batches-bin/data_batch_5.bin: record 1 (from byte 3073): label 10, want 0 to 9"},
		{"class names", func(t *testing.T, root string) {
			put(t, root, cifar10.names, []byte("airplane\ncat\n"))
		}, 0, "data: cifar10: ROOT/cifar-10-batches-bin/batches.meta.txt: 2 class names, want 10" + hint},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, _ := plant(t, 2)
			c.damage(t, root)
			_, err := cifar10.read(root, c.records, c.records)
			if err == nil {
				t.Fatal("no error")
			}
			if got := strings.ReplaceAll(err.Error(), root, "ROOT"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestOpenCIFARDemandsPublishedCount(t *testing.T) {
	// Open refuses a set of the right form when its files do not hold 10,000 records each.
	root, _ := plant(t, 2)
	_, err := cifar10.open(root)
	if want := fmt.Sprintf("data_batch_1.bin: 2 records, want 10000; `darts data get cifar10 --root %s` downloads it", root); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want ...%s", err, want)
	}
}

func TestArchive(t *testing.T) {
	// The archive has the files that Open reads.
	want := append(slices.Clone(cifar10.train), cifar10.test, cifar10.names)
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(cifar10.published().Files))); diff != "" {
		t.Errorf("files of cifar10 (-want +got):\n%s", diff)
	}
}

func FuzzCIFAR(f *testing.F) {
	bad := encodeRecords(noise(2, 2))
	bad[cifar10.record()] = 10
	for _, seed := range [][]byte{nil, {1}, encodeRecords(noise(1, 1)), encodeRecords(noise(2, 3)), bad, bad[:cifar10.record()+1]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		// Records are read without panic in memory of the input's size, and valid ones are written back equal.
		m := cifar10.empty(0)
		err := cifar10.appendRecords(m, "fuzz", raw)
		// Grow rounds up, to the allocator's next size.
		if got, limit := cap(m.Pixels)+cap(m.Labels), len(raw)*5/4+64; got > limit {
			t.Errorf("%d bytes of memory for %d bytes of input", got, len(raw))
		}
		if err != nil {
			if m.N != 0 || len(m.Pixels) != 0 || len(m.Labels) != 0 {
				t.Errorf("%d images in spite of the error %v", m.N, err)
			}
			return
		}
		if again := encodeRecords(m); !bytes.Equal(again, raw) {
			t.Errorf("%d bytes read, %d other bytes written", len(raw), len(again))
		}
	})
}
