package reference

// HasDefinition reports whether an operator is defined, and Definitions how many are.
func HasDefinition(op string) bool { return operators[op] != nil }

// Definitions is the number of operators that are defined.
func Definitions() int { return len(operators) }
