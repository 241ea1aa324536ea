/* Stands for Microsoft's installer of WebView2: leaves the key that says it is
   there, and its own command line beside itself. */
#include <stdio.h>
#include <windows.h>
int main(void) {
  HKEY k;
  RegCreateKeyA(HKEY_CURRENT_USER, "Software\\Microsoft\\EdgeUpdate\\Clients\\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}", &k);
  RegSetValueExA(k, "pv", 0, REG_SZ, (const BYTE *)"120.0.0.1", 10);
  FILE *f = fopen("C:\\view-ran.txt", "w");
  fputs(GetCommandLineA(), f);
  fclose(f);
  return 0;
}
