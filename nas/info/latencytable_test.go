package info

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas/fixture"
	"godarts/nas/images"
	"godarts/nas/latency"
)

func TestMeasureTable(t *testing.T) {
	// Each layer that a search needs is measured once, also by a measurement that goes on, and the rows of another search are added.
	where, file := fixture.File("tiny.yaml"), filepath.Join(t.TempDir(), "table.json")
	set := []string{"space.operations=[none, skip_connect, sep_conv_3x3, max_pool_3x3]", "evaluate={}", "evaluate.train.network.channels=2", "evaluate.train.network.layers=3"}
	o := LatencyOptions{Batch: 2, Passes: 6}
	measure := func(ctx context.Context, items []string, o LatencyOptions, most int) (rows []latency.Row, err error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		err = MeasureTable(ctx, where, items, file, o, func(r latency.Row) error {
			if rows = append(rows, r); len(rows) == most {
				cancel()
			}
			return nil
		})
		return rows, err
	}
	first, err := measure(t.Context(), set, o, 2)
	if !errors.Is(err, context.Canceled) || len(first) != 2 {
		t.Fatalf("%d rows before an interruption after two: %v", len(first), err)
	}
	rest, err := measure(t.Context(), set, o, 1000)
	if err != nil {
		t.Fatal(err)
	}
	c := fixture.Tiny(t, set...)
	sizes, err := images.Sizes(c)
	if err != nil {
		t.Fatal(err)
	}
	want, err := images.LatencyLayers(c, sizes)
	if err != nil {
		t.Fatal(err)
	}
	table, err := latency.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if all := slices.Concat(first, rest); !slices.Equal(all, table.Rows) || len(all) != len(want) {
		t.Errorf("measured %v, the file has %v, the search needs %v", all, table.Rows, want)
	}
	for i, r := range table.Rows {
		if r.Layer != want[i] || !(r.Seconds > 0 && r.Seconds < 5) || r.Passes != 6 {
			t.Errorf("row %d: %+v, want %v", i, r, want[i])
		}
	}
	if table.Batch != 2 || table.Threads < 1 || table.Libtorch == "" || table.Machine == "" || table.Processor == "" || table.Device != "cpu" || table.Dtype != "float32" {
		t.Errorf("conditions %+v", table.Conditions)
	}
	if again, err := measure(t.Context(), set, o, 1000); err != nil || len(again) != 0 {
		t.Errorf("a complete table: %v, %v", again, err)
	}
	larger := append(slices.Clone(set), "space.operations=[sep_conv_3x3, dil_conv_3x3]")
	more, err := measure(t.Context(), larger, o, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if table, err = latency.Read(file); err != nil || len(more) == 0 || len(more) >= len(want) || len(table.Rows) != len(want)+len(more) {
		t.Errorf("a larger space: %d more of %d, %d in the file: %v", len(more), len(want), len(table.Rows), err)
	}
	if _, err := measure(t.Context(), set, LatencyOptions{Batch: 3, Passes: 6}, 1); err == nil || !strings.HasSuffix(err.Error(), "was measured under other conditions: batch 2, now 3; want another --table") {
		t.Errorf("another batch: %v", err)
	}
}

func TestMeasuredOrder(t *testing.T) {
	// A convolution over many channels takes longer than over few that the same loops take, when both are measured.
	file := filepath.Join(t.TempDir(), "table.json")
	for _, channels := range []string{"4", "64"} {
		set := []string{"space.operations=[sep_conv_5x5, max_pool_3x3]", "evaluate={}", "evaluate.train.network.channels=" + channels, "evaluate.train.network.layers=3", "data.name=synthetic"}
		if err := MeasureTable(t.Context(), fixture.File("tiny.yaml"), set, file, LatencyOptions{Batch: 4, Passes: 9}, func(latency.Row) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	table, err := latency.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	seconds := func(l latency.Layer) float64 {
		r, there := latency.Find(table.Rows, l)
		if !there {
			t.Fatalf("no row for %s", l)
		}
		return r.Seconds
	}
	wide := latency.Layer{Op: "sep_conv_5x5", Channels: 64, Side: 32, Stride: 1}
	narrow := wide
	narrow.Channels = 4
	if seconds(wide) <= seconds(narrow) {
		t.Errorf("sep_conv_5x5 takes %v s over 64 channels, %v s over 4", seconds(wide), seconds(narrow))
	}
}

func TestMeasureTableRefuses(t *testing.T) {
	// One line says what is wanted when a config is no search on images, or cannot make its networks.
	for _, test := range []struct{ where, want string }{
		{fixture.File("tiny-train.yaml"), "a table has the operations of a space of cells for images, want the config of a search on images"},
		{fixture.File("tiny-text.yaml"), "a table has the operations of a space of cells for images, want the config of a search on images"},
	} {
		err := MeasureTable(t.Context(), test.where, nil, filepath.Join(t.TempDir(), "t.json"), LatencyOptions{Batch: 1, Passes: 1}, nil)
		if err == nil || !strings.HasSuffix(err.Error(), test.want) || !strings.Contains(err.Error(), test.where) {
			t.Errorf("%s: %v", test.where, err)
		}
	}
}
