package tsgen

//go:generate go test -run ^TestTypesAreCurrent$ -update .

// Target is the generated file, relative to this folder.
const Target = "../../../../frontend/admin/src/api/types.ts"
