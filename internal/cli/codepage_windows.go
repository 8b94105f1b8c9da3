package cli

import "golang.org/x/sys/windows"

// utf8Page is the code page of UTF-8 (CP_UTF8).
const utf8Page = 65001

// systemIsUTF8 reports whether the console, if there is one, expects UTF-8; PowerShell
// takes what a command writes into a pipe or a file for that too.
func systemIsUTF8() bool {
	page, err := windows.GetConsoleOutputCP()
	return err != nil || page == utf8Page
}
