package pickle

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"godarts/torch"
	"godarts/torch/internal/stored"
)

// globals are all that a file may name.
var globals = map[global]bool{
	orderedDict: true, torchSize: true, rebuildTensor: true, rebuildTensorV2: true, rebuildParameter: true,
}

var (
	orderedDict      = global{"collections", "OrderedDict"}
	torchSize        = global{"torch", "Size"}
	rebuildTensor    = global{"torch._utils", "_rebuild_tensor"} // before PyTorch 0.4
	rebuildTensorV2  = global{"torch._utils", "_rebuild_tensor_v2"}
	rebuildParameter = global{"torch._utils", "_rebuild_parameter"}
)

// storageTypes are the classes that name the type of a storage's elements.
var storageTypes = map[global]torch.Dtype{
	{"torch", "FloatStorage"}: torch.Float32, {"torch", "DoubleStorage"}: torch.Float64,
	{"torch", "HalfStorage"}: torch.Float16, {"torch", "BFloat16Storage"}: torch.BFloat16,
	{"torch", "ByteStorage"}: torch.Uint8, {"torch", "CharStorage"}: torch.Int8, {"torch", "ShortStorage"}: torch.Int16,
	{"torch", "IntStorage"}: torch.Int32, {"torch", "LongStorage"}: torch.Int64, {"torch", "BoolStorage"}: torch.Bool,
}

func init() {
	for g := range storageTypes {
		globals[g] = true
	}
}

// reader gives a pickle's objects their meaning.
type reader struct {
	storages map[string]*storage // by key
	visits   budget              // values that calls may yet look at: each value has a byte of the file
}

// storageView is elements of a storage from one on.
type storageView struct {
	*storage
	first int
}

func (r *reader) unpickler(content []byte) *unpickler {
	r.visits = budget(len(content))
	return &unpickler{content: content, call: r.call, persistent: r.storage}
}

// call is what the functions on the list do.
func (r *reader) call(g global, args []any) (any, error) {
	switch {
	case g == orderedDict && len(args) == 0:
		return &dict{}, nil
	case g == orderedDict && len(args) == 1:
		return r.pairsDict(args[0])
	case g == torchSize && len(args) == 1:
		return args[0], nil
	case g == rebuildTensor && len(args) == 4, g == rebuildTensorV2 && len(args) >= 6:
		return r.tensorOf(args)
	case g == rebuildParameter && len(args) == 3: // data, requires_grad, hooks
		if t, ok := args[0].(*tensor); ok {
			return t, nil
		}
		return nil, fmt.Errorf("a parameter of %T, which is no tensor", args[0])
	}
	return nil, fmt.Errorf("a call of %s with %d arguments", g, len(args))
}

// pairsDict is a dict of a list of pairs, as Python 2 wrote it.
func (r *reader) pairsDict(v any) (*dict, error) {
	pairs, ok := v.(*list)
	if !ok {
		return nil, fmt.Errorf("an OrderedDict of %T, which is no list", v)
	}
	if !r.visits.spend(len(pairs.items)) {
		return nil, errVisits
	}
	d := &dict{keys: make([]any, 0, len(pairs.items)), values: make([]any, 0, len(pairs.items))}
	for _, item := range pairs.items {
		var pair []any
		switch item := item.(type) {
		case *list:
			pair = item.items
		case *tuple:
			pair = item.items
		}
		if len(pair) != 2 {
			return nil, errors.New("an OrderedDict of what are no pairs")
		}
		if err := d.set(pair); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// tensorOf puts a tensor together from storage, offset, shape and strides.
func (r *reader) tensorOf(args []any) (*tensor, error) {
	s, ok := args[0].(storageView)
	if !ok {
		return nil, fmt.Errorf("a tensor of %T, which is no storage", args[0])
	}
	offset, ok := sizeOf(args[1])
	if !ok {
		return nil, fmt.Errorf("a tensor from element %s on", shown(args[1]))
	}
	shape, err := r.sizesOf(args[2])
	if err != nil {
		return nil, err
	}
	strides, err := r.sizesOf(args[3])
	if err != nil {
		return nil, err
	}
	if len(shape) != len(strides) {
		return nil, fmt.Errorf("a tensor of %d dimensions with %d strides", len(shape), len(strides))
	}
	return &tensor{s.storage, s.first + offset, shape, strides}, nil
}

// sizeOf reads a number of elements, which no file of today exceeds.
func sizeOf(v any) (int, bool) {
	const most = 1 << 48
	n, ok := v.(int64)
	return int(n), ok && n >= 0 && n <= most
}

func (r *reader) sizesOf(v any) ([]int, error) {
	sequence, ok := v.(*tuple)
	if !ok || len(sequence.items) > stored.MaxDims {
		return nil, fmt.Errorf("sizes of a tensor that are no tuple of at most %d numbers", stored.MaxDims)
	}
	if !r.visits.spend(len(sequence.items)) {
		return nil, errVisits
	}
	sizes := make([]int, len(sequence.items))
	for i, item := range sequence.items {
		if sizes[i], ok = sizeOf(item); !ok {
			return nil, fmt.Errorf("%s as a size of a tensor", shown(item))
		}
	}
	return sizes, nil
}

// storage finds the storage that ("storage", type, key, device, elements) means.
// Before PyTorch 0.4 a part of one followed, (key, first, elements).
func (r *reader) storage(id any) (any, error) {
	parts, ok := id.(*tuple)
	if !ok || len(parts.items) < 5 || len(parts.items) > 6 || parts.items[0] != "storage" {
		return nil, errors.New("a reference to what is no storage")
	}
	class, _ := parts.items[1].(global)
	dtype, known := storageTypes[class]
	key, isText := parts.items[2].(string)
	numel, isSize := sizeOf(parts.items[4])
	if !known || !isText || !isSize {
		return nil, errors.New("a storage without type, key or number of elements")
	}
	s := r.storages[key]
	if s == nil {
		s = &storage{dtype: dtype, numel: numel}
		r.storages[key] = s
	}
	if s.dtype != dtype || s.numel != numel {
		return nil, fmt.Errorf("storage %q is one of %d %s and one of %d %s", shortened(key), s.numel, s.dtype, numel, dtype)
	}
	first := 0
	if len(parts.items) == 6 && parts.items[5] != nil {
		part, ok := parts.items[5].(*tuple)
		if !ok || len(part.items) != 3 {
			return nil, errors.New("a part of a storage without its place")
		}
		if first, ok = sizeOf(part.items[1]); !ok {
			return nil, fmt.Errorf("a part of a storage from element %s on", shown(part.items[1]))
		}
	}
	return storageView{s, first}, nil
}

// fill gives a storage its elements.
func (s *storage) fill(key string, data []byte) error {
	if want := s.numel * s.dtype.Size(); len(data) < want {
		return fmt.Errorf("storage %q of %d %s has %d bytes, wanted %d", shortened(key), s.numel, s.dtype, len(data), want)
	}
	s.data = data
	return nil
}

// readZip reads the archive that torch.save writes today: ROOT/data.pkl, the
// elements of each storage in ROOT/data/KEY.
func readZip(content []byte) (any, error) {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	const program = "/data.pkl"
	files := map[string]*zip.File{}
	root := ""
	for _, f := range archive.File {
		if files[f.Name] != nil {
			return nil, fmt.Errorf("zip: %q is there twice", shortened(f.Name))
		}
		files[f.Name] = f
		if before, ok := strings.CutSuffix(f.Name, program); ok && !strings.Contains(before, "/") {
			root = before
		}
	}
	if files[root+program] == nil {
		return nil, errors.New("zip: there is no data.pkl: torch.save did not write it")
	}
	read := func(name string) ([]byte, error) { return zipContent(files[root+"/"+name], name, content) }
	if files[root+"/byteorder"] != nil {
		order, err := read("byteorder")
		if err != nil {
			return nil, err
		}
		if string(order) != "little" {
			return nil, fmt.Errorf("zip: byte order %q, only little can be read", shortened(string(order)))
		}
	}
	pickle, err := read("data.pkl")
	if err != nil {
		return nil, err
	}
	r := reader{storages: map[string]*storage{}}
	object, err := r.unpickler(pickle).run()
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	for _, key := range slices.Sorted(maps.Keys(r.storages)) {
		data, err := read("data/" + key)
		if err != nil {
			return nil, err
		}
		if err := r.storages[key].fill(key, data); err != nil {
			return nil, err
		}
	}
	return object, nil
}

// zipContent is the content of a file in the archive, which lies there as it is.
func zipContent(f *zip.File, name string, archive []byte) ([]byte, error) {
	if f == nil {
		return nil, fmt.Errorf("zip: there is no %s", shortened(name))
	}
	if f.Method != zip.Store {
		return nil, fmt.Errorf("zip: %s is compressed, which torch.save does not do", shortened(name))
	}
	start, err := f.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("zip: %s: %w", shortened(name), err)
	}
	if start < 0 || start > int64(len(archive)) || f.UncompressedSize64 > uint64(int64(len(archive))-start) {
		return nil, fmt.Errorf("zip: %s: %d bytes from %d on, the file has %d", shortened(name), f.UncompressedSize64, start, len(archive))
	}
	return archive[start : start+int64(f.UncompressedSize64)], nil
}

// What a file before PyTorch 1.6 begins with, each a pickle.
var legacyMagic, _ = new(big.Int).SetString("1950a86a20f9469cfc6c", 16)

const legacyProtocol = 1001

// readLegacy reads what torch.save wrote before PyTorch 1.6: pickles of a
// magic number, a version, facts of the machine, the object and the keys of its
// storages, then for each key the number of elements and the elements.
func readLegacy(content []byte) (any, error) {
	r := reader{storages: map[string]*storage{}}
	u := r.unpickler(content)
	magic, err := u.run()
	if n, ok := magic.(*big.Int); err != nil || !ok || n.Cmp(legacyMagic) != 0 {
		var refused refusedError
		if errors.As(err, &refused) {
			return nil, err
		}
		return nil, errors.New("no file of torch.save: neither a zip archive nor its magic number")
	}
	version, err := u.run()
	if err != nil {
		return nil, err
	}
	if version != int64(legacyProtocol) {
		return nil, fmt.Errorf("version %s of torch.save's form, known is %d", shown(version), legacyProtocol)
	}
	if err := legacyMachine(u); err != nil {
		return nil, err
	}
	object, err := u.run()
	if err != nil {
		return nil, err
	}
	keys, err := u.run()
	if err != nil {
		return nil, err
	}
	all, ok := keys.(*list)
	if !ok {
		return nil, fmt.Errorf("%T where the list of storages is expected", keys)
	}
	for _, key := range all.items {
		if err := r.legacyStorage(u, key); err != nil {
			return nil, err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.storages)) {
		if r.storages[key].data == nil {
			return nil, fmt.Errorf("storage %q has no elements", shortened(key))
		}
	}
	return object, nil
}

// legacyMachine reads the facts of the machine that wrote the file.
func legacyMachine(u *unpickler) error {
	machine, err := u.run()
	if err != nil {
		return err
	}
	if d, ok := machine.(*dict); ok {
		for i, key := range d.keys {
			if key == "little_endian" && d.values[i] == false {
				return errors.New("a machine of the other byte order wrote it")
			}
		}
	}
	return nil
}

// legacyStorage reads the elements of the storage with that key.
func (r *reader) legacyStorage(u *unpickler, key any) error {
	text, _ := key.(string)
	s := r.storages[text]
	if s == nil || s.data != nil {
		return fmt.Errorf("elements of storage %q, which no tensor has", shown(key))
	}
	b, err := u.bytes(8)
	if err != nil {
		return fmt.Errorf("storage %q: the file ends before it", shortened(text))
	}
	if n := binary.LittleEndian.Uint64(b); n != uint64(s.numel) {
		return fmt.Errorf("storage %q has %d elements, its tensors say %d", shortened(text), n, s.numel)
	}
	data, err := u.bytes(min(s.numel*s.dtype.Size(), len(u.content)-u.at))
	if err != nil {
		return err
	}
	return s.fill(text, data)
}
