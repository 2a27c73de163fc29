package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
)

// The opcodes of protocols 2 to 5, as Python's Lib/pickletools.py documents them. Those of protocols 0 and 1 that
// torch never writes are refused.
const (
	opMark           = '('
	opStop           = '.'
	opPop            = '0'
	opPopMark        = '1'
	opDup            = '2'
	opBinInt         = 'J'
	opBinInt1        = 'K'
	opBinInt2        = 'M'
	opNone           = 'N'
	opBinPersID      = 'Q'
	opReduce         = 'R'
	opBinString      = 'T'
	opShortBinString = 'U'
	opBinUnicode     = 'X'
	opAppend         = 'a'
	opBuild          = 'b'
	opGlobal         = 'c'
	opDict           = 'd'
	opAppends        = 'e'
	opBinGet         = 'h'
	opInst           = 'i'
	opLongBinGet     = 'j'
	opList           = 'l'
	opObj            = 'o'
	opBinPut         = 'q'
	opLongBinPut     = 'r'
	opSetItem        = 's'
	opTuple          = 't'
	opSetItems       = 'u'
	opBinFloat       = 'G'
	opEmptyTuple     = ')'
	opEmptyList      = ']'
	opEmptyDict      = '}'
	opBinBytes       = 'B'
	opShortBinBytes  = 'C'
	opProto          = 0x80
	opNewObj         = 0x81
	opTuple1         = 0x85
	opTuple2         = 0x86
	opTuple3         = 0x87
	opNewTrue        = 0x88
	opNewFalse       = 0x89
	opLong1          = 0x8a
	opLong4          = 0x8b
	opShortUnicode   = 0x8c
	opUnicode8       = 0x8d
	opBytes8         = 0x8e
	opEmptySet       = 0x8f
	opAddItems       = 0x90
	opFrozenSet      = 0x91
	opNewObjEx       = 0x92
	opStackGlobal    = 0x93
	opMemoize        = 0x94
	opFrame          = 0x95
	opByteArray8     = 0x96
)

// maxIntBytes bounds integers: 4096 bits are far more than any checkpoint's.
const maxIntBytes = 512

// maxGlobals bounds the different names: a checkpoint has some dozens.
const maxGlobals = 10_000

var errPickleEnds = errors.New("the pickle ends in the middle")

// machine reads one pickle as data.
type machine struct {
	src    []byte
	pos    int
	limits Limits

	stack []Value
	marks []int
	memo  []Value

	operations int
	copied     int64
	tensors    int
	uses       map[Global]*GlobalUse

	legacy bool // of the format before PyTorch 1.6, whose persistent ids name classes and views as well

	// storage resolves a persistent id ('storage', type, key, location, numel).
	storage func(class Global, key, location string, numel int64) (*Storage, error)
}

// run executes the pickle and is its value.
func (m *machine) run() (Value, error) {
	if int64(len(m.src)) > m.limits.PickleSize {
		return nil, overLimit("bytes of the pickle", m.limits.PickleSize)
	}
	m.uses = map[Global]*GlobalUse{}
	for {
		start := m.pos
		op, err := m.byte()
		if err == nil && op == opStop {
			if len(m.stack) != 1 || len(m.marks) != 0 {
				return nil, fmt.Errorf("the pickle stops at byte %d with %d values on its stack instead of 1", start, len(m.stack))
			}
			if err := checkNesting(m.stack[0], m.limits.Nesting); err != nil {
				return nil, err
			}
			return m.stack[0], nil
		}
		if err == nil {
			err = m.charge(1)
		}
		if err == nil {
			err = m.step(op)
		}
		if err != nil {
			return nil, fmt.Errorf("at byte %d of the pickle: %w", start, err)
		}
	}
}

// charge counts operations and copied elements toward the limit.
func (m *machine) charge(n int) error {
	m.operations += n
	if m.operations > m.limits.Operations {
		return overLimit("operations of the pickle", m.limits.Operations)
	}
	return nil
}

// chargeBytes counts bytes that are made from others toward the limit.
func (m *machine) chargeBytes(n int) error {
	m.copied += int64(n)
	if m.copied > m.limits.PickleSize {
		return overLimit("bytes that the pickle's calls make", m.limits.PickleSize)
	}
	return nil
}

func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		version, err := m.byte()
		if err == nil && version > 5 {
			err = fmt.Errorf("protocol %d is newer than 5, the newest that is known here", version)
		}
		return err
	case opFrame:
		_, err := m.next(8)
		return err
	case opMark:
		if len(m.stack)+len(m.marks) >= m.limits.Stack {
			return overLimit("entries on the pickle's stack", m.limits.Stack)
		}
		m.marks = append(m.marks, len(m.stack))
		return nil
	case opPop:
		if len(m.marks) > 0 && m.marks[len(m.marks)-1] == len(m.stack) {
			m.marks = m.marks[:len(m.marks)-1]
			return nil
		}
		_, err := m.pop()
		return err
	case opPopMark:
		_, err := m.popMark()
		return err
	case opDup:
		return m.with1(func(v Value) (Value, error) {
			return v, m.push(v)
		})
	case opNone:
		return m.push(None{})
	case opNewTrue, opNewFalse:
		return m.push(Boolean(op == opNewTrue))
	case opBinInt, opBinInt1, opBinInt2, opLong1, opLong4, opBinFloat:
		return m.number(op)
	case opBinString, opShortBinString, opBinUnicode, opShortUnicode, opUnicode8, opBinBytes, opShortBinBytes, opBytes8, opByteArray8:
		return m.text(op)
	case opBinGet, opLongBinGet, opBinPut, opLongBinPut, opMemoize:
		return m.remember(op)
	case opEmptyTuple, opEmptyList, opEmptyDict, opEmptySet, opTuple, opTuple1, opTuple2, opTuple3, opList, opDict, opFrozenSet,
		opAppend, opAppends, opAddItems, opSetItem, opSetItems:
		return m.container(op)
	case opGlobal, opStackGlobal, opReduce, opNewObj, opNewObjEx, opInst, opObj, opBuild, opBinPersID:
		return m.object(op)
	}
	return fmt.Errorf("opcode %#02x %q is not one that torch.save writes in protocols 2 to 5; save the file again with torch.save(torch.load(...), ...)", op, op)
}

// next is the next n bytes.
func (m *machine) next(n uint64) ([]byte, error) {
	if n > uint64(len(m.src)-m.pos) {
		return nil, fmt.Errorf("%w: %d bytes are missing", errPickleEnds, n-uint64(len(m.src)-m.pos))
	}
	b := m.src[m.pos : m.pos+int(n)]
	m.pos += int(n)
	return b, nil
}

func (m *machine) byte() (byte, error) {
	b, err := m.next(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

// uint is a little-endian unsigned number of n bytes.
func (m *machine) uint(n uint64) (uint64, error) {
	b, err := m.next(n)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return le.Uint64(wide[:]), nil
}

// line is the text up to the next newline.
func (m *machine) line() (string, error) {
	rest := m.src[m.pos:]
	for i, c := range rest {
		if int64(i) > m.limits.StringSize {
			return "", overLimit("bytes of a name", m.limits.StringSize)
		}
		if c == '\n' {
			m.pos += i + 1
			return strings.ToValidUTF8(string(rest[:i]), "\uFFFD"), nil
		}
	}
	return "", errPickleEnds
}

func (m *machine) push(v Value) error {
	if len(m.stack)+len(m.marks) >= m.limits.Stack {
		return overLimit("entries on the pickle's stack", m.limits.Stack)
	}
	m.stack = append(m.stack, v)
	return nil
}

// floor is the height of the stack that belongs to the innermost mark.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) pop() (Value, error) {
	if len(m.stack) <= m.floor() {
		return nil, errors.New("a value was expected on the stack")
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

func (m *machine) top() (Value, error) {
	if len(m.stack) <= m.floor() {
		return nil, errors.New("a value was expected on the stack")
	}
	return m.stack[len(m.stack)-1], nil
}

// popMark is what lies above the innermost mark, as a copy.
func (m *machine) popMark() ([]Value, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("a mark was expected on the stack")
	}
	at := m.floor()
	m.marks = m.marks[:len(m.marks)-1]
	items := append([]Value(nil), m.stack[at:]...)
	clear(m.stack[at:])
	m.stack = m.stack[:at]
	return items, nil
}

// with1 replaces the top of the stack.
func (m *machine) with1(f func(Value) (Value, error)) error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	if v, err = f(v); err != nil {
		return err
	}
	return m.push(v)
}

// with2 replaces the two topmost values, given lower first, by one.
func (m *machine) with2(f func(a, b Value) (Value, error)) error {
	b, err := m.pop()
	if err != nil {
		return err
	}
	return m.with1(func(a Value) (Value, error) { return f(a, b) })
}

func (m *machine) number(op byte) error {
	width := map[byte]uint64{opBinInt: 4, opBinInt1: 1, opBinInt2: 2, opLong1: 1, opLong4: 4, opBinFloat: 8}[op]
	n, err := m.uint(width)
	if err != nil {
		return err
	}
	switch op {
	case opBinInt:
		return m.push(Int(int32(n)))
	case opBinFloat: // the one number that is big-endian
		return m.push(Float(math.Float64frombits(binary.BigEndian.Uint64(m.src[m.pos-8:]))))
	case opLong1, opLong4:
		if n > maxIntBytes {
			return overLimit("bytes of an integer", maxIntBytes)
		}
		b, err := m.next(n)
		if err != nil {
			return err
		}
		return m.push(longInt(b))
	}
	return m.push(Int(n))
}

// longInt is the little-endian two's complement number in b.
func longInt(b []byte) Value {
	negative := len(b) > 0 && b[len(b)-1]&0x80 != 0
	if len(b) <= 8 {
		var wide [8]byte
		if negative {
			wide = [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		}
		copy(wide[:], b)
		return Int(le.Uint64(wide[:]))
	}
	bigEndian := make([]byte, len(b))
	for i, c := range b {
		bigEndian[len(b)-1-i] = c
	}
	n := new(big.Int).SetBytes(bigEndian)
	if negative {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if n.IsInt64() {
		return Int(n.Int64())
	}
	return BigInt{n}
}

func (m *machine) text(op byte) error {
	width := uint64(4)
	switch op {
	case opShortBinString, opShortUnicode, opShortBinBytes:
		width = 1
	case opUnicode8, opBytes8, opByteArray8:
		width = 8
	}
	n, err := m.uint(width)
	if err != nil {
		return err
	}
	b, err := m.next(n)
	if err != nil {
		return err
	}
	if n > uint64(m.limits.StringSize) {
		return overLimit("bytes of a string", m.limits.StringSize)
	}
	switch op {
	case opBinBytes, opShortBinBytes, opBytes8, opByteArray8:
		return m.push(Bytes(b))
	case opBinString, opShortBinString: // Python 2's str: text or bytes
		if s := string(b); strings.ToValidUTF8(s, "") != s {
			return m.push(Bytes(s))
		}
	}
	return m.push(Str(strings.ToValidUTF8(string(b), "\uFFFD")))
}

// remember serves the memo.
func (m *machine) remember(op byte) error {
	index := uint64(len(m.memo))
	if op != opMemoize {
		width := uint64(1)
		if op == opLongBinGet || op == opLongBinPut {
			width = 4
		}
		var err error
		if index, err = m.uint(width); err != nil {
			return err
		}
	}
	if op == opBinGet || op == opLongBinGet {
		if index >= uint64(len(m.memo)) || m.memo[index] == nil {
			return fmt.Errorf("memo entry %d is read, but was never written", index)
		}
		return m.push(m.memo[index])
	}
	if index >= uint64(m.limits.Memo) {
		return overLimit("entries of the pickle's memo", m.limits.Memo)
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	for uint64(len(m.memo)) <= index {
		m.memo = append(m.memo, nil)
	}
	m.memo[index] = v
	return nil
}
