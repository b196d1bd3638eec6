package plan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"godarts/nas/config"
	"godarts/nas/figure"
	"godarts/nas/info"
	"godarts/nas/latency"
	"godarts/nas/model"
	"godarts/nas/names"
	"godarts/nas/onnx"
	"godarts/nas/record"
	"godarts/nas/report"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
	"godarts/torch"
)

// CompressionSettings are the settings of a compression.
type CompressionSettings struct {
	Settings
	Batch int // images that pass through a network together where it is timed, on one thread of the CPU
}

// Files of a compression's folder, besides a run folder for each part.
const (
	compressionMarkdown = "compression.md"
	compressionCSV      = "compression.csv"
	onnxFolder          = "onnx"       // the ONNX file of each network
	timesFile           = "times.json" // here times in this program; in the folder of ONNX files those in ONNX Runtime
)

// CompressionResult is the result of a compression.
type CompressionResult struct {
	Table    report.Table     // a row for each way, with the mean and deviation over the runs
	Outcomes []figure.Outcome // the same for figures
	Notes    []string         // on how times were measured, and which are not there
	Runs     []*record.Run    // the trained ones and all parts that have not diverged
}

// times are the seconds of a batch, the median of passes, by network.
type times struct {
	Conditions latency.Conditions `json:"conditions"`
	Passes     int                `json:"passes"`
	Seconds    map[string]float64 `json:"seconds"`
}

// onnxTimes are times in ONNX Runtime, which scripts/onnx-latency writes.
type onnxTimes struct {
	Runtime string             `json:"runtime"` // its version
	Batch   int                `json:"batch"`
	Threads int                `json:"threads"`
	Passes  int                `json:"passes"`
	Seconds map[string]float64 `json:"seconds"`
}

// report measures the networks of a compression whose parts are settled, and writes the tables.
func (p *compression) report(ctx context.Context, m CompressionSettings) (r CompressionResult, err error) {
	err = p.write(ctx, func() error {
		if err := p.export(); err != nil {
			return err
		}
		here, err := p.times(ctx, m)
		if err != nil {
			return err
		}
		there, err := p.onnxTimes()
		if err != nil {
			return err
		}
		if err := p.tabulate(&r, here, there); err != nil {
			return err
		}
		if err := runfolder.Write(p.file(compressionMarkdown), []byte(r.Markdown())); err != nil {
			return err
		}
		return runfolder.Write(p.file(compressionCSV), []byte(r.Table.CSV()))
	}, timesFile, compressionMarkdown, compressionCSV)
	if err != nil {
		return r, err
	}
	return r, p.failed()
}

// each calls use for each network that there is, in the order of the rows.
func (p *compression) each(use func(r compressed, run int, dir string) error) error {
	for _, r := range p.rows {
		for run := range p.recipes {
			if dir := p.dirOf(r, run); runfolder.Finished(dir) {
				if err := use(r, run, dir); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// onnxFile returns the name of a network's ONNX file.
func (p *compression) onnxFile(r compressed, run int) string {
	return p.file(onnxFolder, r.parts[run]+".onnx")
}

// export writes the ONNX file of each network, with batch norms folded.
func (p *compression) export() error {
	if err := p.wrong(wholefile.MakeFolder(p.file(onnxFolder))); err != nil {
		return err
	}
	var written []string
	err := p.each(func(r compressed, run int, dir string) error {
		file := p.onnxFile(r, run)
		written = append(written, filepath.Base(file))
		_, err := model.ExportONNX(dir, file, onnx.Options{Fold: !r.integers})
		return err
	})
	if err != nil {
		return err
	}
	return p.wrong(wholefile.RemoveLeftovers(p.file(onnxFolder), append(written, timesFile)...))
}

// times returns how long the networks in floating point take here. They are measured unless a file says that of
// all under the same conditions.
func (p *compression) times(ctx context.Context, m CompressionSettings) (t times, err error) {
	var trainings []*config.Config
	var parts []string
	err = p.each(func(r compressed, run int, dir string) error {
		if r.integers {
			return nil
		}
		c, err := runfolder.ReadConfig(dir)
		trainings, parts = append(trainings, c), append(parts, r.parts[run])
		return err
	})
	if err != nil {
		return t, err
	}
	runtime.LockOSThread() // the number of threads belongs to the thread
	defer runtime.UnlockOSThread()
	defer torch.SetThreads(torch.Threads())
	torch.SetThreads(1)
	o := info.LatencyOptions{Batch: m.Batch, Passes: 50, Budget: time.Duration(len(parts)) * 10 * time.Second, Device: torch.CPU}
	now, err := info.Conditions(p.recipes[0], o)
	if err != nil {
		return t, err
	}
	err = runfolder.ReadJSON(p.file(timesFile), &t)
	switch {
	case err == nil && t.Conditions == now && slices.Equal(slices.Sorted(maps.Keys(t.Seconds)), slices.Sorted(slices.Values(parts))):
		return t, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return t, fmt.Errorf("%w; delete the file to measure again", err)
	}
	p.settings.Note("timing %s", names.Count(len(parts), "network"))
	all, err := info.MeasureTogether(ctx, trainings, o)
	if err != nil {
		return t, err
	}
	t = times{now, len(all[0].Seconds), map[string]float64{}}
	for i, l := range all {
		t.Seconds[parts[i]] = l.Quantile(0.5).Seconds()
	}
	return t, runfolder.WriteJSON(p.file(timesFile), t)
}

// onnxTimes returns how long the networks take in ONNX Runtime; nothing if they have not been timed there.
func (p *compression) onnxTimes() (t onnxTimes, err error) {
	err = runfolder.ReadJSON(p.file(onnxFolder, timesFile), &t)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return t, fmt.Errorf("%w; delete the file, or time the networks again", err)
	}
	return t, nil
}

// measured is what is known of the networks of a row, a value for each run.
type measured struct {
	tests, valids, parameters, adds, bytes, here, there []float64
}

// tabulate fills in the table and the outcomes.
func (p *compression) tabulate(r *CompressionResult, here times, there onnxTimes) error {
	rows := map[string]*measured{}
	err := p.each(func(row compressed, run int, dir string) error {
		if rows[row.name] == nil {
			rows[row.name] = &measured{}
		}
		rec, err := record.Read(dir)
		if err != nil {
			return err
		}
		r.Runs = append(r.Runs, rec)
		return rows[row.name].add(dir, p.onnxFile(row, run), row.parts[run], here, there)
	})
	if err != nil {
		return err
	}
	r.Table.Columns = compressionColumns
	for _, row := range p.rows {
		m := rows[row.name]
		if m == nil {
			r.Table.Rows = append(r.Table.Rows, append([]report.Cell{{Text: row.name}}, make([]report.Cell, len(compressionColumns)-1)...))
			continue
		}
		r.Table.Rows = append(r.Table.Rows, []report.Cell{
			{Text: row.name}, report.NumberCell(float64(max(len(m.tests), len(m.valids)))), report.SpreadCell(m.tests), report.SpreadCell(m.valids),
			mean(m.parameters), mean(m.adds), mean(m.bytes), report.SpreadCell(m.here), report.SpreadCell(m.there),
		})
		r.Outcomes = append(r.Outcomes, figure.Outcome{
			Label: row.name, Tests: m.tests, Parameters: int(average(m.parameters)), MultiplyAdds: int64(average(m.adds)), Bytes: average(m.bytes),
			ImageSeconds: average(m.here), ONNXSeconds: average(m.there),
		})
	}
	r.Notes = p.notes(here, there)
	return nil
}

// add adds a network.
func (m *measured) add(dir, file, name string, here times, there onnxTimes) error {
	c, err := runfolder.ReadConfig(dir)
	if err != nil {
		return err
	}
	var result runfolder.TrainResult
	if err := runfolder.ReadResult(dir, c, &result); err != nil {
		return err
	}
	about, err := model.Described(filepath.Join(dir, runfolder.WeightsFile))
	if err != nil {
		return err
	}
	exported, err := os.Stat(file)
	if err != nil {
		return err
	}
	if result.Tested != nil {
		m.tests = append(m.tests, result.TestError)
	} else {
		m.valids = append(m.valids, result.ValidError)
	}
	parameters, adds := about.NetworkOptions(torch.Options{}).Count(about.Genotype)
	m.parameters, m.adds, m.bytes = append(m.parameters, float64(parameters)), append(m.adds, float64(adds)), append(m.bytes, float64(exported.Size()))
	if s, ok := here.Seconds[name]; ok {
		m.here = append(m.here, s/float64(here.Conditions.Batch))
	}
	if s, ok := there.Seconds[name]; ok {
		m.there = append(m.there, s/float64(there.Batch))
	}
	return nil
}

func mean(x []float64) report.Cell {
	if len(x) == 0 {
		return report.Cell{}
	}
	return report.NumberCell(average(x))
}

// average returns the mean, 0 of nothing.
func average(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	return report.SpreadOf(x).Mean
}

// compressionColumns are the columns of the table.
var compressionColumns = []report.Column{
	{Title: "network"}, {Title: "runs"},
	{Title: "test error", Unit: "%", Decimals: 2, Raw: "test error percent"},
	{Title: "validation error", Unit: "%", Decimals: 2, Raw: "validation error percent"},
	{Title: "parameters"},
	{Title: "multiply-adds", Unit: "M", Scale: 1e6, Decimals: 3, Raw: "multiply-adds"},
	{Title: "ONNX file", Unit: "kB", Scale: 1e3, Decimals: 1, Raw: "bytes of the ONNX file"},
	{Title: "time", Unit: "ms", Scale: 1e-3, Decimals: 3, Raw: "seconds per image"},
	{Title: "ONNX Runtime", Unit: "ms", Scale: 1e-3, Decimals: 3, Raw: "seconds per image in ONNX Runtime"},
}

// notes say how times were measured, and how the missing ones can be.
func (p *compression) notes(here times, there onnxTimes) []string {
	c := here.Conditions
	all := []string{fmt.Sprintf("time of an image: median of %d passes of %s, in turn, on one thread (%s, libtorch %s, %s); this program has no fast form of integers",
		here.Passes, names.Count(c.Batch, "image"), c.Machine, c.Libtorch, c.Processor)}
	command := names.Command("scripts/onnx-latency", "--all", p.file(onnxFolder), fmt.Sprint(c.Batch))
	if len(there.Seconds) == 0 {
		return append(all, fmt.Sprintf("times in ONNX Runtime are not there: `%s`, then this command again", command))
	}
	return append(all, fmt.Sprintf("ONNX Runtime %s: median of %d passes of %s, in turn, threads: %d", names.Print(there.Runtime), there.Passes, names.Count(there.Batch, "image"), there.Threads))
}

// Text returns the result for a terminal of that many columns.
func (r CompressionResult) Text(width int) string {
	return r.Table.Text(width) + strings.Join(r.Notes, "\n") + "\n"
}

// Markdown returns the result as a document.
func (r CompressionResult) Markdown() string {
	return r.Table.Markdown() + "\n" + strings.Join(r.Notes, "\n\n") + "\n"
}
