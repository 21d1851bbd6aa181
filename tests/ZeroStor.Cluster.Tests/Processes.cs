using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ZeroStor.Cluster.Tests;

/// <summary>A process that a test started: what it wrote, how it ended. Disposing kills it.</summary>
internal sealed class RunningProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    private RunningProcess(Process process)
    {
        _process = process;
        _output = process.StandardOutput.ReadToEndAsync();
        _errors = process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public static RunningProcess Start(
        string folder, string program, IEnumerable<string> arguments, Dictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment ?? [])
        {
            start.Environment[name] = value;
        }

        return new RunningProcess(Process.Start(start)!);
    }

    /// <summary>A program of the repository, as <see cref="Checkout"/> names it.</summary>
    public static RunningProcess StartOwn(
        string folder, string assembly, IEnumerable<string> arguments, Dictionary<string, string>? environment = null) =>
        Start(folder, "dotnet", [assembly, .. arguments], environment);

    public async Task<(int Code, string Output, string Errors)> EndAsync(TimeSpan within)
    {
        try
        {
            await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(within);
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
            throw new TimeoutException(
                $"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)} did not end in "
                + $"{within.TotalSeconds} s: {await _output}{await _errors}");
        }

        return (_process.ExitCode, await _output, await _errors);
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Hangs it, or lets it go on.</summary>
    public void Hang(bool goesOn = false) => Process.Start(
        "kill", [goesOn ? "-CONT" : "-STOP", Id.ToString(CultureInfo.InvariantCulture)])!.WaitForExit();

    public void Terminate() => Process.Start("kill", ["-TERM", Id.ToString(CultureInfo.InvariantCulture)])!.WaitForExit();

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}

/// <summary>A silo as its users run it: a process of its own, on ports that were free.</summary>
internal sealed class SiloUnderTest : IDisposable
{
    private const int FirstPort = 10_000;

    private const int PortCount = 10_000;

    // Long: four of them start at once on busy machines, and it is only waited out where one fails.
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(300);

    // Two runs at once begin at different ones.
    private static int _ports = System.Environment.ProcessId * 100;

    private readonly string _folder;
    private readonly string[] _arguments;
    private readonly int _port = FreePort();
    private RunningProcess? _process;

    public SiloUnderTest(string folder, params string[] arguments)
    {
        _folder = folder;
        _arguments = arguments;
    }

    public int GatewayPort { get; } = FreePort();

    public string[] Ports =>
    [
        "--port", _port.ToString(CultureInfo.InvariantCulture),
        "--gateway-port", GatewayPort.ToString(CultureInfo.InvariantCulture),
    ];

    // Tests run beside each other, and one of them has the port that S3 is answered on.
    private string[] S3 => _arguments.Contains("--s3") ? [] : ["--s3", "off"];

    public string Gateway => $"127.0.0.1:{GatewayPort}";

    public Dictionary<string, string> Environment => new() { ["ZS_GATEWAY"] = Gateway };

    /// <summary>Starts it without waiting until it serves.</summary>
    public RunningProcess Begin() => _process = RunningProcess.StartOwn(
        _folder, Checkout.Silo, [.. Ports, .. S3, .. _arguments]);

    public async Task StartAsync()
    {
        Begin();
        long start = Stopwatch.GetTimestamp();
        while (!await AnswersAsync())
        {
            if (_process!.HasExited || Stopwatch.GetElapsedTime(start) > StartPatience)
            {
                if (!_process.HasExited)
                {
                    _process.Kill();
                }

                (int code, string output, string errors) = await _process.EndAsync(StartPatience);
                throw new InvalidOperationException($"the silo did not come up ({code}): {output}{errors}");
            }
        }
    }

    public void Kill() => _process!.Kill();

    public void Hang(bool goesOn = false) => _process!.Hang(goesOn);

    public async Task StopAsync()
    {
        _process!.Terminate();
        (int code, string output, string errors) = await _process.EndAsync(TimeSpan.FromSeconds(60));
        Assert.True(code == 0, $"the silo ended with {code}: {output}{errors}");
    }

    public async Task<(int Code, string Output, string Errors)> ZsAsync(params string[] arguments)
    {
        using RunningProcess zs = RunningProcess.StartOwn(_folder, Checkout.Zs, arguments, Environment);
        return await zs.EndAsync(TimeSpan.FromSeconds(120));
    }

    public void Dispose() => _process?.Dispose();

    private async Task<bool> AnswersAsync() => (await ZsAsync("ls")).Code == 0;

    /// <summary>A port below those that the system gives to outgoing connections: one of these would have it by the
    /// time that somebody listens.</summary>
    public static int FreePort()
    {
        while (true)
        {
            int port = FirstPort + (Interlocked.Increment(ref _ports) % PortCount);
            using var probe = new TcpListener(IPAddress.Loopback, port);
            try
            {
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }
    }
}
