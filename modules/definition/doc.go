// Package definition reads modules that a YAML defines from registered ones and operators, under its key modules. Their
// language is described in docs/modules-in-yaml.md. Nothing of it is evaluated as code: an expression is parsed here, and
// computes integers, or adds nodes to a graph.
package definition
