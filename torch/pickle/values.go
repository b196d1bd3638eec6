package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
)

// value pushes a number, a text or a constant.
func (u *unpickler) value(op byte) error {
	switch op {
	case 'N': // NONE
		u.push(nil)
		return nil
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		u.push(op == 0x88)
		return nil
	case 'K', 'M', 'J': // BININT1, BININT2, BININT
		n, err := u.number(map[byte]int{'K': 1, 'M': 2, 'J': 4}[op])
		if op == 'J' { // the one with a sign
			return u.pushOr(int64(int32(n)), err)
		}
		return u.pushOr(int64(n), err)
	case 'I', 'L': // INT, LONG
		return u.decimal(op)
	case 0x8a, 0x8b: // LONG1, LONG4
		return u.long(op)
	case 'G': // BINFLOAT, the one number with its high byte first
		b, err := u.bytes(8)
		if err != nil {
			return err
		}
		u.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		return nil
	case 'F': // FLOAT
		line, err := u.line()
		if err != nil {
			return err
		}
		return u.pushOr(strconv.ParseFloat(line, 64))
	case 'X', 'T', 'B': // BINUNICODE, BINSTRING, BINBYTES
		return u.text(4)
	case 0x8c, 'U', 'C': // SHORT_BINUNICODE, SHORT_BINSTRING, SHORT_BINBYTES
		return u.text(1)
	case 0x8d, 0x8e: // BINUNICODE8, BINBYTES8
		return u.text(8)
	}
	return fmt.Errorf("the instruction %#02x, which no file of tensors needs", op)
}

// text pushes a text with its length before it, a number of that many bytes.
func (u *unpickler) text(size int) error {
	n, err := u.number(size)
	if err != nil {
		return err
	}
	if n > uint64(len(u.content)-u.at) {
		return fmt.Errorf("a text of %d bytes, of which the file has %d", n, len(u.content)-u.at)
	}
	b, err := u.bytes(int(n))
	return u.pushOr(string(b), err)
}

// decimal pushes a number that is written out, as protocol 0 has it.
func (u *unpickler) decimal(op byte) error {
	line, err := u.line()
	if err != nil {
		return err
	}
	switch {
	case op == 'I' && (line == "00" || line == "01"):
		u.push(line == "01")
		return nil
	case op == 'L' && len(line) > 0 && line[len(line)-1] == 'L':
		line = line[:len(line)-1]
	}
	return u.pushOr(strconv.ParseInt(line, 10, 64))
}

// long pushes a whole number of any size, in two's complement.
func (u *unpickler) long(op byte) error {
	size := 1
	if op == 0x8b {
		size = 4
	}
	n, err := u.number(size)
	if err != nil {
		return err
	}
	const most = 255
	if n > most {
		return fmt.Errorf("a number of %d bytes, more than %d", n, most)
	}
	b, err := u.bytes(int(n))
	if err != nil {
		return err
	}
	b = slices.Clone(b)
	slices.Reverse(b)
	v := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if v.IsInt64() {
		u.push(v.Int64())
	} else {
		u.push(v)
	}
	return nil
}

// container makes and fills tuples, lists and dicts.
func (u *unpickler) container(op byte) error {
	switch op {
	case ')': // EMPTY_TUPLE
		u.push(&tuple{})
		return nil
	case ']': // EMPTY_LIST
		u.push(&list{})
		return nil
	case '}': // EMPTY_DICT
		u.push(&dict{})
		return nil
	case 'a': // APPEND
		return u.extend(1)
	case 's': // SETITEM
		return u.extend(2)
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		items, err := u.popN(int(op-0x85) + 1)
		return u.pushOr(&tuple{slices.Clone(items)}, err)
	}
	items, err := u.popMark()
	if err != nil {
		return err
	}
	switch op {
	case 't': // TUPLE
		u.push(&tuple{items})
		return nil
	case 'l': // LIST
		u.push(&list{items})
		return nil
	case 'd': // DICT
		d := &dict{}
		u.push(d)
		return d.set(items)
	}
	return u.fill(items) // APPENDS, SETITEMS
}

// extend moves n items from the top of the stack to the list or dict below.
func (u *unpickler) extend(n int) error {
	items, err := u.popN(n)
	if err != nil {
		return err
	}
	return u.fill(items)
}

// fill appends items to the list on top of the stack, or pairs of them to the dict.
func (u *unpickler) fill(items []any) error {
	v, err := u.top()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *list:
		v.items = append(v.items, items...)
		return nil
	case *dict:
		return v.set(items)
	}
	return fmt.Errorf("items for %T, which is no list or dict", v)
}

func (d *dict) set(items []any) error {
	if len(items)%2 != 0 {
		return errors.New("a key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		d.keys, d.values = append(d.keys, items[i]), append(d.values, items[i+1])
	}
	return nil
}

// remember writes the top of the stack to the memo, or reads from there.
func (u *unpickler) remember(op byte) error {
	var index uint64
	var err error
	switch op {
	case 'q', 'h': // BINPUT, BINGET
		index, err = u.number(1)
	case 'r', 'j': // LONG_BINPUT, LONG_BINGET
		index, err = u.number(4)
	case 'p', 'g': // PUT, GET
		var line string
		if line, err = u.line(); err == nil {
			index, err = strconv.ParseUint(line, 10, 64)
		}
	case 0x94: // MEMOIZE
		index = uint64(len(u.memo))
	}
	if err != nil {
		return err
	}
	switch op {
	case 'h', 'j', 'g':
		v, ok := u.memo[index]
		if !ok {
			return fmt.Errorf("nothing was remembered as %d", index)
		}
		u.push(v)
		return nil
	}
	v, err := u.top()
	if err == nil {
		u.memo[index] = v
	}
	return err
}
