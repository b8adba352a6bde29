// The functions of Node that the addon calls on Windows. They are looked up in the running program, so that the addon
// also loads where the program is not called node.exe: Electron, and programs with Node inside. An import library would
// bind to that name, unless the linker delays the loading, which zig's does not. The build declares each function as
// imported, so that a call goes through a variable __imp_<name>, which is defined here.
//
// node-symbols.h is written by scripts/build-platforms.mjs: NODE_SYMBOL(<name>) for each function.
#include <windows.h>

#define NODE_SYMBOL(name) FARPROC __imp_##name;
#include "node-symbols.h"
#undef NODE_SYMBOL

static const struct {
  const char *name;
  FARPROC *place;
} symbols[] = {
#define NODE_SYMBOL(name) {#name, &__imp_##name},
#include "node-symbols.h"
};

// FALSE makes LoadLibrary fail, which JavaScript sees as an error of require.
BOOL WINAPI DllMain(HINSTANCE addon, DWORD reason, LPVOID reserved) {
  (void)addon;
  (void)reserved;
  if (reason != DLL_PROCESS_ATTACH) return TRUE;
  const HMODULE programs[] = {GetModuleHandleW(NULL), GetModuleHandleW(L"libnode.dll")};
  for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
    for (size_t j = 0; j < 2 && *symbols[i].place == NULL; j++) {
      if (programs[j] != NULL) *symbols[i].place = GetProcAddress(programs[j], symbols[i].name);
    }
    if (*symbols[i].place == NULL) return FALSE;
  }
  return TRUE;
}
