package pickle

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// A pickle is a program for a stack machine that builds Python objects. This
// machine runs the part of it that values of torch.save need and knows no Python:
// where a pickle wants a global it gets one of globals or is refused.
// https://docs.python.org/3/library/pickletools.html has the instructions.

// Python's values: nil, bool, int64, *big.Int, float64, string (of bytes too) and
// these.
type (
	tuple  struct{ items []any }
	list   struct{ items []any }
	dict   struct{ keys, values []any }
	global struct{ module, name string }
)

func (g global) String() string { return g.module + "." + g.name }

// refusedError is that of a pickle which wants to call what no file of tensors
// needs.
type refusedError struct{ global string }

func (e refusedError) Error() string {
	return fmt.Sprintf("refused: it wants %q, which no file of tensors needs", e.global)
}

// mark is what MARK leaves on the stack.
type mark struct{}

var (
	errEnd        = errors.New("the file ends in the middle of a pickle")
	errStackEmpty = errors.New("the stack is empty")
	errMark       = errors.New("a mark where a value is expected")
)

// unpickler is the machine.
type unpickler struct {
	content []byte // the program, and more programs or data after it
	at      int    // offset of what comes next
	stack   []any
	memo    map[uint64]any

	call       func(g global, args []any) (any, error) // what a call of one of globals gives
	persistent func(id any) (any, error)               // stands for an object outside of the program
}

// run executes one program, up to STOP, and returns what it built.
func (u *unpickler) run() (result any, err error) {
	u.stack, u.memo = nil, map[uint64]any{}
	for {
		start := u.at
		op, err := u.byte()
		if err != nil {
			return nil, u.errorf(start, err)
		}
		if op == '.' {
			result, err := u.pop()
			if err != nil {
				return nil, u.errorf(start, err)
			}
			return result, nil
		}
		if err := u.step(op); err != nil {
			return nil, u.errorf(start, err)
		}
	}
}

func (u *unpickler) errorf(at int, err error) error { return fmt.Errorf("offset %d: %w", at, err) }

// step executes one instruction.
func (u *unpickler) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		version, err := u.byte()
		if err == nil && version > 5 {
			err = fmt.Errorf("pickle protocol %d, known are 0 to 5", version)
		}
		return err
	case 0x95: // FRAME: how far to read ahead
		_, err := u.number(8)
		return err
	case '(': // MARK
		u.push(mark{})
		return nil
	case '0': // POP
		_, err := u.pop()
		return err
	case '1': // POP_MARK
		_, err := u.popMark()
		return err
	case '2': // DUP
		v, err := u.top()
		if err == nil {
			u.push(v)
		}
		return err
	case 'R': // REDUCE
		return u.reduce()
	case 'b': // BUILD
		return u.build()
	case 'Q': // BINPERSID
		id, err := u.pop()
		if err != nil {
			return err
		}
		return u.pushOr(u.persistent(id))
	case 'c', 'i', 0x93: // GLOBAL, INST, STACK_GLOBAL
		return u.global(op)
	case 'p', 'q', 'r', 0x94, 'g', 'h', 'j':
		return u.remember(op)
	case ')', 't', 0x85, 0x86, 0x87, ']', 'l', 'a', 'e', '}', 'd', 's', 'u':
		return u.container(op)
	}
	return u.value(op)
}

// global pushes the name of a class or function, if it is a known one.
func (u *unpickler) global(op byte) error {
	var g global
	if op != 0x93 {
		var err error
		if g.module, err = u.line(); err != nil {
			return err
		}
		if g.name, err = u.line(); err != nil {
			return err
		}
	} else {
		items, err := u.popN(2)
		if err != nil {
			return err
		}
		module, isModule := items[0].(string)
		name, isName := items[1].(string)
		if !isModule || !isName {
			return errors.New("a global whose name is no text")
		}
		g = global{module, name}
	}
	if op == 'i' || !globals[g] { // INST calls it at once
		return refusedError{shortened(g.String())}
	}
	u.push(g)
	return nil
}

// shortened keeps messages readable.
func shortened(name string) string {
	const most = 200
	if len(name) > most {
		return name[:most] + "..."
	}
	return name
}

// shown is a value in a message; of one that holds others, which may be many, its type.
func shown(v any) string {
	switch v := v.(type) {
	case string:
		return shortened(v)
	case *tuple, *list, *dict:
		return fmt.Sprintf("%T", v)
	}
	return shortened(fmt.Sprint(v))
}

func (u *unpickler) reduce() error {
	items, err := u.popN(2)
	if err != nil {
		return err
	}
	g, isGlobal := items[0].(global)
	args, isTuple := items[1].(*tuple)
	if !isGlobal || !isTuple {
		return fmt.Errorf("a call of %T with %T", items[0], items[1])
	}
	return u.pushOr(u.call(g, args.items))
}

// build drops the attributes of a dict: state dicts have one that says which
// versions of layers wrote them.
func (u *unpickler) build() error {
	if _, err := u.pop(); err != nil {
		return err
	}
	v, err := u.top()
	if err != nil {
		return err
	}
	if _, ok := v.(*dict); !ok {
		return fmt.Errorf("attributes for %T, which is no dict", v)
	}
	return nil
}

func (u *unpickler) push(v any) { u.stack = append(u.stack, v) }

func (u *unpickler) pushOr(v any, err error) error {
	if err == nil {
		u.push(v)
	}
	return err
}

func (u *unpickler) top() (any, error) {
	if len(u.stack) == 0 {
		return nil, errStackEmpty
	}
	v := u.stack[len(u.stack)-1]
	if _, ok := v.(mark); ok {
		return nil, errMark
	}
	return v, nil
}

func (u *unpickler) pop() (any, error) {
	v, err := u.top()
	if err == nil {
		u.stack = u.stack[:len(u.stack)-1]
	}
	return v, err
}

// popN takes the last n values, which stay what they are until the next push.
func (u *unpickler) popN(n int) ([]any, error) {
	from := len(u.stack) - n
	if from < 0 {
		return nil, errStackEmpty
	}
	items := u.stack[from:]
	for _, v := range items {
		if _, ok := v.(mark); ok {
			return nil, errMark
		}
	}
	u.stack = u.stack[:from]
	return items, nil
}

// popMark takes the values after the last mark.
func (u *unpickler) popMark() ([]any, error) {
	for i := len(u.stack) - 1; i >= 0; i-- {
		if _, ok := u.stack[i].(mark); ok {
			items := slices.Clone(u.stack[i+1:])
			u.stack = u.stack[:i]
			return items, nil
		}
	}
	return nil, errors.New("no mark on the stack")
}

func (u *unpickler) byte() (byte, error) {
	b, err := u.bytes(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

// bytes takes the next n.
func (u *unpickler) bytes(n int) ([]byte, error) {
	if n > len(u.content)-u.at {
		return nil, errEnd
	}
	b := u.content[u.at : u.at+n]
	u.at += n
	return b, nil
}

// number takes a whole number of that many bytes, the low one first.
func (u *unpickler) number(size int) (uint64, error) {
	b, err := u.bytes(size)
	var n uint64
	for i, x := range b {
		n |= uint64(x) << (8 * i)
	}
	return n, err
}

// line takes the text up to the next new line.
func (u *unpickler) line() (string, error) {
	n := bytes.IndexByte(u.content[u.at:], '\n')
	if n < 0 {
		return "", errEnd
	}
	line := string(u.content[u.at : u.at+n])
	u.at += n + 1
	return line, nil
}
