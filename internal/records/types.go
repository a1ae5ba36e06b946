package records

import (
	"strconv"
	"strings"
)

// Type is the type of a field.
type Type string

// The types. In JSON a member may also be Mixed: values are taken as they are.
const (
	Integer Type = "integer"
	Float   Type = "float"
	Bool    Type = "bool"
	String  Type = "string"
	Mixed   Type = "mixed"
)

// typeOf returns the narrowest type of a cell. Numbers with leading zeros are
// strings, for they are codes; so are infinities and hexadecimals.
func typeOf(cell string) Type {
	if strings.EqualFold(cell, "true") || strings.EqualFold(cell, "false") {
		return Bool
	}
	if cell == "" || strings.Trim(cell, "0123456789+-.eE") != "" || leadingZero(cell) {
		return String
	}
	if _, err := strconv.ParseInt(cell, 10, 64); err == nil {
		return Integer
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return Float
	}
	return String
}

func leadingZero(cell string) bool {
	digits := strings.TrimLeft(cell, "+-")
	return len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9'
}

// fieldType returns the type of a table's column: the narrowest that all
// values of the sample have.
func (c *column) fieldType() Type {
	switch c.filled {
	case 0:
		return String
	case c.ints:
		return Integer
	case c.floats:
		return Float
	case c.bools:
		return Bool
	}
	return String
}

// memberType names the type of a JSON member for the plan.
func (c *column) memberType() Type {
	switch c.strings {
	case c.filled:
		return String
	case 0:
		return c.fieldType()
	}
	return Mixed
}

// convert turns a cell into a value of a column's type. A cell that is not of
// it stays a string.
func convert(cell string, t Type) any {
	have := typeOf(cell)
	switch {
	case t == Integer && have == Integer:
		n, _ := strconv.ParseInt(cell, 10, 64) // typeOf has parsed it
		return n
	case (t == Float || t == Integer) && (have == Float || have == Integer):
		f, _ := strconv.ParseFloat(cell, 64)
		return f
	case t == Bool && have == Bool:
		return strings.EqualFold(cell, "true")
	}
	return cell
}
