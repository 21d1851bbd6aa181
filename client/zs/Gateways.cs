using System.Net.Sockets;
using System.Text.Json;
using ZeroStor.Client;

namespace ZeroStor.CommandLine;

/// <summary>Which gateways a verb asks: <c>--gateway</c>, then <c>ZS_GATEWAY</c>, then <c>gateway</c> in the
/// user's <c>zerostor/context.json</c>, then this machine's. Each is HOST:PORT[,HOST:PORT...]. And how long they
/// have to answer.</summary>
internal static class Gateways
{
    public const string Variable = "ZS_GATEWAY";

    /// <summary>A process that finds no silo ends within five seconds, its own start included, which takes some tenths
    /// of one. What taking the connection leaves of this a gateway has to speak.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(4.3);

    /// <summary>Where several gateways took a connection one that hangs may be met first: time to try the next. No machine
    /// is waited for longer either.</summary>
    private static readonly TimeSpan ManyConnectTimeout = TimeSpan.FromSeconds(15);

    /// <summary>On an idle machine connecting and one answer take some five times what the start took. So where the start
    /// took long, this machine has too much to do, and a silo that is there would be called absent.</summary>
    private const int StartsToConnect = 8;

    // What a gateway has to answer in once another one did.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(100);

    private static readonly string Default = $"127.0.0.1:{ZeroStorClientOptions.DefaultGatewayPort}";

    /// <param name="option">What <c>--gateway</c> said, if anything.</param>
    /// <param name="environment">Reads a variable of the environment.</param>
    /// <param name="readFile">Reads a file; null where it is not.</param>
    /// <exception cref="ZeroStorException">InvalidArgument: not a gateway, or the context file is not one.
    /// </exception>
    public static string[] Choose(
        string? option, Func<string, string?> environment, Func<string, string?> readFile)
    {
        string[] gateways = Split(option)
            ?? Split(environment(Variable))
            ?? Split(FromContext(environment, readFile))
            ?? [Default];
        return Array.ConvertAll(gateways, g => GatewayAddress.Parse(g).ToString());
    }

    /// <summary>Those that take a connection. A silo that hangs may be among them, one that is down is not.
    /// </summary>
    public static async Task<string[]> ProbeAsync(
        IEnumerable<string> gateways, TimeSpan timeout, CancellationToken cancel)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        bound.CancelAfter(timeout);
        string?[] answered = await Task.WhenAll(gateways.Select(ProbeOneAsync));
        cancel.ThrowIfCancellationRequested();
        return [.. answered.OfType<string>()];

        async Task<string?> ProbeOneAsync(string gateway)
        {
            GatewayAddress address = GatewayAddress.Parse(gateway);
            try
            {
                using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(address.Host, address.Port, bound.Token);
                // One is enough: no verb waits long for those that may be down.
                bound.CancelAfter(Grace);
                return gateway;
            }
            catch (Exception failure) when (failure is SocketException or OperationCanceledException)
            {
                return null;
            }
        }
    }

    /// <summary>How long gateways that took a connection have to speak.</summary>
    /// <param name="gateways">How many these are.</param>
    /// <param name="start">What this process took to get here.</param>
    /// <param name="probing">What taking the connections took.</param>
    public static TimeSpan PatienceToSpeak(int gateways, TimeSpan start, TimeSpan probing)
    {
        TimeSpan one = TimeSpan.FromTicks(Math.Max((ConnectTimeout - probing).Ticks, (start * StartsToConnect).Ticks));
        return gateways > 1 || one > ManyConnectTimeout ? ManyConnectTimeout : one;
    }

    /// <summary>The user's context file, there or not.</summary>
    public static string ContextPath(Func<string, string?> environment)
    {
        string? folder = environment("XDG_CONFIG_HOME");
        if (string.IsNullOrEmpty(folder))
        {
            folder = Path.Combine(environment("HOME") ?? "", ".config");
        }

        return Path.Combine(folder, "zerostor", "context.json");
    }

    private static string? FromContext(Func<string, string?> environment, Func<string, string?> readFile)
    {
        string path = ContextPath(environment);
        if (readFile(path) is not { } text)
        {
            return null;
        }

        try
        {
            using JsonDocument context = JsonDocument.Parse(text);
            return context.RootElement.TryGetProperty("gateway", out JsonElement gateway)
                ? gateway.GetString()
                : null;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw ZeroStorException.Invalid(
                $"'{path}' is not {{\"gateway\":\"HOST:PORT[,...]\"}}: repair or remove it.");
        }
    }

    private static string[]? Split(string? list)
    {
        string[] gateways = list?.Split(
            ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        return gateways.Length > 0 ? gateways : null;
    }
}
