using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace ZeroStor.CommandLine.Dev;

internal enum DevProcessState
{
    /// <summary>It is not there, or its number is another program's by now.</summary>
    Down,
    Running,

    /// <summary>Stopped by SIGSTOP.</summary>
    Paused,
}

/// <summary>Processes of a dev fabric. They outlive the command that starts them, in sessions of their own: neither
/// Ctrl-C nor a closed terminal reaches them.</summary>
internal static class DevProcess
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>How often an empty command line is looked at: changing programs takes far less than so many
    /// milliseconds.</summary>
    private const int MostLooks = 50;

    // The shell opens the log, so that no pipe ties the program to who started it.
    private const string Detached =
        "log=$1; shift; exec </dev/null >>\"$log\" 2>&1; command -v setsid >/dev/null && exec setsid \"$@\"; exec \"$@\"";

    /// <summary>Starts a program that goes on by itself; its process id.</summary>
    public static int StartDetached(
        string log, IEnumerable<string> command, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("sh", ["-c", Detached, "sh", log, .. command]);
        foreach ((string name, string value) in environment)
        {
            start.Environment.TryAdd(name, value);
        }

        using Process process = Process.Start(start)!;
        return process.Id;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="ZeroStorException">Unavailable: it failed, with what it said; NotFound: it is not
    /// there.</exception>
    public static async Task RunAsync(IReadOnlyList<string> command, CancellationToken cancel)
    {
        (int code, string said) = await TryRunAsync(command, cancel);
        if (code != 0)
        {
            throw new ZeroStorException(
                ErrorKind.Unavailable, $"'{string.Join(' ', command)}' failed ({code}): {said.ReplaceLineEndings(" ")}");
        }
    }

    public static async Task<(int Code, string Said)> TryRunAsync(
        IReadOnlyList<string> command, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using Process process = Process.Start(start)!;
            process.StandardInput.Close();
            Task<string> output = process.StandardOutput.ReadToEndAsync(cancel);
            string errors = await process.StandardError.ReadToEndAsync(cancel);
            await process.WaitForExitAsync(cancel);
            return (process.ExitCode, (errors + await output).Trim());
        }
        catch (Win32Exception e)
        {
            throw ZeroStorException.NotFound($"{command[0]} cannot be run: {e.Message}.");
        }
    }

    /// <summary>Sends a signal, by its name, to processes of which some may be gone.</summary>
    public static async Task SignalAsync(string signal, IEnumerable<int> pids, CancellationToken cancel)
    {
        string[] numbers = [.. pids.Select(p => p.ToString(CultureInfo.InvariantCulture))];
        if (numbers.Length > 0)
        {
            await TryRunAsync(
                ["sh", "-c", "for p in \"$@\"; do kill -" + signal + " \"$p\"; done", "sh", .. numbers], cancel);
        }
    }

    /// <summary>Whether a process is there and is who it was: numbers are used again, its command line names what
    /// only it is told.</summary>
    /// <param name="pid">Its number; 0: none was ever started.</param>
    /// <param name="sign">An argument of its command line.</param>
    public static DevProcessState Look(int pid, string sign)
    {
        string folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}");
        try
        {
            if (pid == 0 || !CommandLine(folder).Contains(sign))
            {
                return DevProcessState.Down;
            }

            // "pid (name) S ...": the name may hold anything, but no parenthesis comes after it.
            string stat = File.ReadAllText(Path.Combine(folder, "stat"));
            return stat[(stat.LastIndexOf(')') + 2)..][0] switch
            {
                'T' or 't' => DevProcessState.Paused,
                'Z' or 'X' => DevProcessState.Down,
                _ => DevProcessState.Running,
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return DevProcessState.Down;
        }
    }

    // Empty for a moment while the shell gives way to the program, and for good when the process ended and nobody
    // took note of it yet.
    private static string[] CommandLine(string folder)
    {
        string path = Path.Combine(folder, "cmdline");
        for (int looks = 1; ; looks++)
        {
            string line = File.ReadAllText(path);
            if (line.Length > 0 || looks == MostLooks)
            {
                return line.Split('\0');
            }

            Thread.Sleep(1);
        }
    }

    /// <summary>Memory that a process has in use; 0 when it is gone.</summary>
    public static long ResidentBytes(int pid)
    {
        try
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status");
            string? line = File.ReadLines(path).FirstOrDefault(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
            return line is null ? 0 : 1024 * long.Parse(
                line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>Waits until all are gone; whether they are.</summary>
    public static async Task<bool> WaitAsync(
        Func<bool> areGone, TimeSpan patience, CancellationToken cancel)
    {
        long since = TimeProvider.System.GetTimestamp();
        while (!areGone())
        {
            if (TimeProvider.System.GetElapsedTime(since) > patience)
            {
                return false;
            }

            await Task.Delay(Pause, cancel);
        }

        return true;
    }
}
