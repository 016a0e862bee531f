@echo off
rem Otherwise an exclamation mark in an argument may vanish.
setlocal DisableDelayedExpansion
rem Passwords for scripts, as ever:
rem
rem   PMP_API.bat RETRIEVE     RESOURCE ACCOUNT
rem   PMP_API.bat RESET_LOCAL  RESOURCE ACCOUNT NEW_PASSWORD
rem   PMP_API.bat RESET_REMOTE RESOURCE ACCOUNT NEW_PASSWORD
rem   PMP_API.bat CREATE       RESOURCE ACCOUNT [PASSWORD]
rem
rem Programs call claviger-client.exe themselves: cmd does not pass every argument on as it is.
rem Settings are in PMP_API.conf beside this script; README.txt says more.
if not exist "%~dp0claviger-client.exe" (
    echo ERROR: there is no claviger-client.exe beside PMP_API.bat: README.txt says how to get it 1>&2
    exit /b 2
)
"%~dp0claviger-client.exe" --conf "%~dp0PMP_API.conf" %*
exit /b %ERRORLEVEL%
