package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

const (
	small     = "experiment: train\ndata: {name: digits, subset: 32}\nnetwork: {channels: 2, layers: 3}\nepochs: 1\n"
	smallCell = "experiment: search\ndata: {name: digits, subset: 32, batch: 8}\nnetwork: {channels: 2, layers: 3, nodes: 2}\nepochs: 1\n"
	smallText = "experiment: search\ndata: {name: synthetic-text, tokens: 108, batch: 4, eval_batch: 2, bptt: 7}\nnetwork: {hidden: 5, nodes: 2}\nepochs: 1\n"
)

// hostileCases lists all cases.
func hostileCases() []hostileCase {
	var all []hostileCase
	for _, cases := range [][]hostileCase{lineCases(), configCases(), sizeCases(), weightsCases(), genotypeCases(), dataCases(), folderCases()} {
		all = append(all, cases...)
	}
	return all
}

// lineCases are command lines.
func lineCases() []hostileCase {
	long := strings.Repeat("x", 100_000)
	c := map[string]string{"c.yaml": small, "s.yaml": smallCell}
	return []hostileCase{
		{name: "an unknown command", args: []string{"saerch"}, want: "unknown command"},
		{name: "control characters in a command", args: []string{"\x1b[31mred\x1b]0;title\x07"}},
		{name: "a long command", args: []string{long}},
		{name: "bytes that are no text", args: []string{"search", "\xff\xfe"}},
		{name: "a bidirectional name", args: []string{"search", "\u202egnp.yaml"}},
		{name: "no config", args: []string{"search"}, want: "CONFIG"},
		{name: "a folder as config", args: []string{"search", "d"}, files: map[string]string{"d/": ""}},
		{name: "a long name", args: []string{"search", long + ".yaml"}},
		{name: "a device that is none", args: []string{"train", "c.yaml", "--device", "tpu"}, files: c, want: "tpu"},
		{name: "a device beyond all", args: []string{"train", "c.yaml", "--device", "cuda:99999999999999999999"}, files: c},
		{name: "negative threads", args: []string{"train", "c.yaml", "--threads", "-1"}, files: c, want: "threads"},
		{name: "threads beyond all", args: []string{"train", "c.yaml", "--threads", "999999999"}, files: c, want: "threads"},
		{name: "a negative seed", args: []string{"train", "c.yaml", "--seed", "-5"}, files: c, want: "seed"},
		{name: "a saving that never is", args: []string{"train", "c.yaml", "--checkpoint-every", "-1"}, files: c, want: "checkpoint-every"},
		{name: "a key that is none", args: []string{"train", "c.yaml", "--set", "w.rl=1"}, files: c, want: "rl"},
		{name: "an item without a value", args: []string{"train", "c.yaml", "--set", "epochs"}, files: c, want: "epochs"},
		{name: "control characters in an item", args: []string{"train", "c.yaml", "--set", "w.\x1b[2J=1"}, files: c},
		{name: "a folder that is a file", args: []string{"train", "c.yaml", "--out", "c.yaml"}, files: c},
		{name: "a folder below a file", args: []string{"train", "c.yaml", "--out", "c.yaml/run"}, files: c},
		{name: "a folder in /proc", args: []string{"train", "c.yaml", "--out", "/proc/run"}, files: c},
		{name: "a config of the other kind", args: []string{"train", "s.yaml"}, files: c, want: "darts search"},
		{name: "a resume of nothing", args: []string{"train", "--resume", "nothing"}, want: "nothing"},
		{name: "a resume of a file", args: []string{"train", "--resume", "c.yaml"}, files: c},
		{name: "a test of nothing", args: []string{"test", "nothing"}, want: "nothing"},
		{name: "an export of nothing", args: []string{"export", "nothing", "-o", "out"}, want: "nothing"},
		{name: "a drawing of nothing", args: []string{"draw", "nothing"}, want: "nothing"},
	}
}

// configCases are files of YAML.
func configCases() []hostileCase {
	var cases []hostileCase
	for _, c := range []struct{ name, text, want string }{
		{"an empty config", "", ""},
		{"a config of zeros", strings.Repeat("\x00", 1000), ""},
		{"a config of another program", "\x7fELF\x02\x01\x01", ""},
		{"aliases of aliases", bomb(), ""},
		{"a deep list", "experiment: search\nepochs: " + strings.Repeat("[", 100_000), ""},
		{"a deep map", strings.Repeat("{a: ", 50_000), ""},
		{"a key twice", small + "epochs: 2\n", "epochs"},
		{"a number that is none", strings.Replace(small, "epochs: 1", "epochs: one", 1), "epochs"},
		{"a number beyond all", strings.Replace(small, "epochs: 1", "epochs: 99999999999999999999", 1), "epochs"},
		{"not a number", small + "w: {lr: .nan}\n", "lr"},
		{"an infinite rate", small + "w: {lr: .inf}\n", "lr"},
		{"a negative rate", small + "w: {lr: -1}\n", "lr"},
		{"a long key", strings.Repeat("k", 100_000) + ": 1\n", ""},
		{"a key with control characters", "\"\\e[31mred\": 1\n", ""},
		{"a config that extends itself", "extends: c.yaml\n", "c.yaml"},
		{"a config that extends a device", "extends: /dev/zero\n", ""},
		{"a config that extends nothing", "extends: nothing.yaml\n", "nothing.yaml"},
		{"a tag", "!!python/object/apply:os.system [id]\n", ""},
		{"two documents", small + "---\n" + small, ""},
		{"a long line", "experiment: " + strings.Repeat("x", 1<<20) + "\n", ""},
	} {
		cases = append(cases, hostileCase{name: c.name, args: []string{"train", "c.yaml", "--genotype", "DARTS_V2", "--out", "run"}, files: map[string]string{"c.yaml": c.text}, want: c.want})
	}
	return cases
}

// bomb is YAML that unfolds to 10^9 values.
func bomb() string {
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	return text
}

// sizeCases are sizes beyond every memory.
func sizeCases() []hostileCase {
	var cases []hostileCase
	for _, c := range []struct{ config, key string }{
		{smallCell, "network.nodes"}, {smallCell, "network.layers"}, {smallCell, "network.channels"}, {smallCell, "network.stem_multiplier"},
		{small, "network.channels"}, {small, "network.layers"},
		{smallText, "network.hidden"}, {smallText, "network.nodes"}, {smallText, "data.tokens"},
	} {
		command, _, _ := strings.Cut(strings.TrimPrefix(c.config, "experiment: "), "\n")
		for _, size := range []string{"2147483647", "9223372036854775807"} {
			cases = append(cases, hostileCase{name: c.key + " " + size, args: []string{command, "c.yaml", "--set", c.key + "=" + size, "--out", "run"},
				files: map[string]string{"c.yaml": c.config}, fine: c.key == "data.tokens"}) // more than there are, which means all
		}
	}
	return cases
}

// weightsCases are files of weights.
func weightsCases() []hostileCase {
	many := make([]string, 20_000)
	for i := range many {
		many[i] = fmt.Sprintf(`"t%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`, i)
	}
	var cases []hostileCase
	for _, c := range []struct{ name, file, content string }{
		{"no file", "none.pt", ""},
		{"an empty pickle", "w.pt", ""},
		{"a pickle of zeros", "w.pt", strings.Repeat("\x00", 4096)},
		{"a pickle that calls", "w.pt", zipPickle("cos\nsystem\n(X\x02\x00\x00\x00idtR.")},
		{"a pickle that unfolds", "w.pt", zipPickle(pairsPickle(12_000, 6_000))},
		{"a deep pickle", "w.pt", zipPickle(strings.Repeat("]", 100_000) + strings.Repeat("a", 99_999) + ".")},
		{"a pickle with a long number", "w.pt", zipPickle("I" + strings.Repeat("9", 100_000) + "\n.")},
		{"an empty safetensors", "w.safetensors", ""},
		{"a header beyond the file", "w.safetensors", "\xff\xff\xff\xff\xff\xff\xff\x7f{}"},
		{"a header of brackets", "w.safetensors", safetensors(strings.Repeat("[", 100_000))},
		{"a deep header", "w.safetensors", safetensors(strings.Repeat(`{"a":`, 100_000))},
		{"many empty tensors", "w.safetensors", safetensors("{" + strings.Join(many, ",") + "}")},
		{"a long name of a tensor", "w.safetensors", safetensors(`{"` + strings.Repeat("n", 1<<20) + `":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`)},
		{"control characters in a name", "w.safetensors", safetensors(`{"\u001b[31mred":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`)},
		{"a shape beyond all", "w.safetensors", safetensors(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`)},
		{"offsets beyond the file", "w.safetensors", safetensors(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[9223372036854775803,9223372036854775807]}}`)},
	} {
		files := map[string]string{"c.yaml": small}
		if c.file != "none.pt" {
			files[c.file] = c.content
		}
		cases = append(cases, hostileCase{name: c.name, args: []string{"test", "c.yaml", "--weights", c.file, "--genotype", "DARTS_V2"}, files: files})
	}
	return cases
}

// zipPickle is an archive as torch.save writes it.
func zipPickle(program string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, file := range []struct{ name, content string }{{"x/data.pkl", program}, {"x/byteorder", "little"}} {
		if f, err := w.CreateHeader(&zip.FileHeader{Name: file.name, Method: zip.Store}); err == nil {
			_, _ = f.Write([]byte(file.content)) // to memory
		}
	}
	_ = w.Close()
	return b.String()
}

// pairsPickle makes dicts from one list of pairs, in these numbers.
func pairsPickle(pairs, dicts int) string {
	return "\x80\x02X\x01\x00\x00\x00kN\x86q\x010](" + strings.Repeat("h\x01", pairs) + "eq\x020h\x02\x85q\x030ccollections\nOrderedDict\nq\x040](" +
		strings.Repeat("h\x04h\x03R", dicts) + "e."
}

// safetensors is a file of that header and no data.
func safetensors(header string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header
}

// genotypeCases are cells.
func genotypeCases() []hostileCase {
	edges := make([]string, 100_000)
	for i := range edges {
		edges[i] = fmt.Sprintf("('skip_connect', %d)", i/2)
	}
	list := strings.Join(edges, ", ")
	var cases []hostileCase
	for _, c := range []struct{ name, text string }{
		{"an empty file", ""},
		{"zeros", strings.Repeat("\x00", 1000)},
		{"a deep list", strings.Repeat("[", 100_000)},
		{"deep parentheses", "Genotype(normal=" + strings.Repeat("(", 100_000)},
		{"a node that is none", "Genotype(normal=[('skip_connect', 99), ('skip_connect', 1)], normal_concat=[2], reduce=[('skip_connect', 0), ('skip_connect', 1)], reduce_concat=[2])"},
		{"a negative node", "Genotype(normal=[('skip_connect', -1), ('skip_connect', 1)], normal_concat=[2], reduce=[('skip_connect', 0), ('skip_connect', 1)], reduce_concat=[2])"},
		{"an operation that is none", "Genotype(normal=[('\x1b[31mred', 0), ('skip_connect', 1)], normal_concat=[2], reduce=[('skip_connect', 0), ('skip_connect', 1)], reduce_concat=[2])"},
		{"a range beyond all", "Genotype(normal=[('skip_connect', 0), ('skip_connect', 1)], normal_concat=range(2, 9000000000000000000), reduce=[], reduce_concat=[2])"},
		{"100,000 edges", "Genotype(normal=[" + list + "], normal_concat=[2], reduce=[" + list + "], reduce_concat=[2])"},
		{"JSON that is deep", strings.Repeat(`{"normal":`, 100_000)},
	} {
		cases = append(cases, hostileCase{name: "a genotype: " + c.name, args: []string{"train", "c.yaml", "--genotype", "g.txt", "--out", "run"},
			files: map[string]string{"c.yaml": small, "g.txt": c.text}})
	}
	return cases
}

// dataCases are data sets.
func dataCases() []hostileCase {
	const images = "experiment: train\ndata: {name: imagefolder, root: root, size: 8, batch: 2}\nnetwork: {channels: 2, layers: 3}\nepochs: 1\n"
	const text = "experiment: search\ndata: {name: text, root: root, batch: 2, eval_batch: 2, bptt: 7}\nnetwork: {hidden: 5, nodes: 2}\nepochs: 1\n"
	var cases []hostileCase
	for _, c := range []struct {
		name, config string
		files        map[string]string
	}{
		{"no folder", images, nil},
		{"no classes", images, map[string]string{"root/train/": ""}},
		{"classes without images", images, map[string]string{"root/train/a/": "", "root/train/b/": ""}},
		{"images that are none", images, map[string]string{"root/train/a/1.png": "none", "root/train/b/1.png": "none"}},
		{"an image of 4 billion rows", images, map[string]string{"root/train/a/1.png": hugePNG, "root/train/b/1.png": hugePNG}},
		{"control characters in a class", images, map[string]string{"root/train/\x1b[31mred/1.png": "none", "root/train/b/1.png": "none"}},
		{"empty texts", text, map[string]string{"root/train.txt": "", "root/valid.txt": "", "root/test.txt": ""}},
		{"texts of one word", text, map[string]string{"root/train.txt": "a", "root/valid.txt": "a", "root/test.txt": "a"}},
		{"a text that is a folder", text, map[string]string{"root/train.txt/": "", "root/valid.txt": "a", "root/test.txt": "a"}},
	} {
		files := map[string]string{"c.yaml": c.config}
		for name, content := range c.files {
			files[name] = content
		}
		command, _, _ := strings.Cut(strings.TrimPrefix(c.config, "experiment: "), "\n")
		cases = append(cases, hostileCase{name: "data: " + c.name, args: []string{command, "c.yaml", "--out", "run"}, files: files})
	}
	return cases
}

// hugePNG is the head of a picture of 4,294,967,295 by 2,147,483,647 pixels.
const hugePNG = "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\x00\x00\x00\x00\x00\x00\x00"

// folderCases are run folders.
func folderCases() []hostileCase {
	var cases []hostileCase
	for _, file := range []string{"config.yaml", "run.json", "checkpoint.safetensors", "result.json", "genotype.json", "metrics.jsonl", "weights.safetensors"} {
		for _, content := range []string{"", "\x00\x00\x00\x00", "{}", strings.Repeat("[", 100_000)} {
			files := map[string]string{"run/config.yaml": small + "genotype: DARTS_V2\n", "run/run.json": `{"device": "cpu", "threads": 1}`}
			files["run/"+file] = content
			cases = append(cases, hostileCase{name: fmt.Sprintf("a folder whose %s is %.8q", file, content), args: []string{"train", "--resume", "run"}, files: files, fine: true})
		}
		files := map[string]string{"run/config.yaml": small + "genotype: DARTS_V2\n", "run/run.json": `{"device": "cpu", "threads": 1}`}
		delete(files, "run/"+file)
		files["run/"+file+"/"] = ""
		cases = append(cases, hostileCase{name: "a folder in the place of " + file, args: []string{"train", "--resume", "run"}, files: files, fine: true})
	}
	return cases
}
