/* A server that knows its version and does not serve: a bad build. */
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "version") == 0) { puts("haoked 9.9.9"); return 0; }
  return 1;
}
