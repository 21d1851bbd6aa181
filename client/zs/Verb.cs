using System.CommandLine;
using System.Diagnostics;
using ZeroStor.Client;

namespace ZeroStor.CommandLine;

/// <summary>What every verb shares: its common options, the connection it opens when its arguments proved
/// right, and how failures become a sentence and an exit code.</summary>
internal sealed class Verb
{
    /// <summary>This long for gateways to take a connection: the machine answers, however busy the silo is.</summary>
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(1.2);

    /// <summary>Who waits at a terminal wants to know sooner than a service.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string? _gateway;

    private Verb(ParseResult parsed, Output output, CancellationToken cancel)
    {
        _gateway = parsed.GetValue(GatewayOption);
        (Arguments, Output, Cancel) = (parsed, output, cancel);
    }

    public static Option<string> GatewayOption { get; } = new("--gateway")
    {
        Description = $"Gateways of silos, HOST:PORT[,HOST:PORT...]. Else ${Gateways.Variable}, else "
            + "\"gateway\" in ~/.config/zerostor/context.json, else 127.0.0.1:30000",
        HelpName = "HOST:PORT",
        Recursive = true,
    };

    public static Option<string> KeyFileOption { get; } = new("--key-file")
    {
        Description = "Key file of a vault whose owner keeps the keys. Else ~/.config/zerostor/keys/NAME.key",
        HelpName = "FILE",
        Recursive = true,
    };

    public static Option<bool> JsonOption { get; } = new("--json")
    {
        Description = "Answer in JSON, errors too",
        Recursive = true,
    };

    public static Option<bool> VerboseOption { get; } = new("--verbose")
    {
        Description = "Tell all that is known of an error",
        Recursive = true,
    };

    public ParseResult Arguments { get; }

    public Output Output { get; }

    public CancellationToken Cancel { get; }

    /// <summary>What the verb ends with where the numbers of failures and success mean something else to it; null
    /// where they do not.</summary>
    public Exit? Ending { get; set; }

    /// <summary>Lets a command run <paramref name="action"/>.</summary>
    public static Command Make(
        string name, string help, IEnumerable<Symbol> parameters, Func<Verb, Task> action)
    {
        var command = new TaughtCommand(name, help);
        foreach (Symbol parameter in parameters)
        {
            if (parameter is Argument argument)
            {
                command.Add(argument);
            }
            else
            {
                command.Add((Option)parameter);
            }
        }

        command.SetAction((parsed, cancel) => RunAsync(parsed, action, cancel));
        return command;
    }

    /// <summary>Connects. Verbs call it when they know that their arguments are right.</summary>
    /// <exception cref="ZeroStorException">Unavailable: no silo answers.</exception>
    public async Task<ZeroStorClient> ConnectAsync()
    {
        string[] gateways = Gateways.Choose(
            _gateway,
            Environment.GetEnvironmentVariable,
            path => File.Exists(path) ? File.ReadAllText(path) : null);
        TimeSpan start = SinceStart();
        long began = TimeProvider.System.GetTimestamp();
        string[] answering = await Gateways.ProbeAsync(gateways, ProbeTimeout, Cancel);
        if (answering.Length == 0)
        {
            throw new ZeroStorException(
                ErrorKind.Unavailable,
                $"No silo answers at {string.Join(", ", gateways)}: is one running there?");
        }

        return await ZeroStorClient.ConnectAsync(
            options =>
            {
                foreach (string gateway in answering)
                {
                    options.Gateways.Add(gateway);
                }

                options.ConnectPatience = Gateways.PatienceToSpeak(
                    answering.Length, start, TimeProvider.System.GetElapsedTime(began));
                options.Patience = Patience;
                options.OwnerKeys = vault => OwnerKeyFile.Find(KeyFileOf(vault));
            },
            Cancel);
    }

    /// <summary>Where the owner's keys of a vault are.</summary>
    public string KeyFileOf(string vault) => Arguments.GetValue(KeyFileOption) ?? OwnerKeyFile.PathOf(vault);

    private static TimeSpan SinceStart()
    {
        using var self = Process.GetCurrentProcess();
        return TimeProvider.System.GetUtcNow() - self.StartTime.ToUniversalTime();
    }

    private static async Task<int> RunAsync(
        ParseResult parsed, Func<Verb, Task> action, CancellationToken cancel)
    {
        var output = Output.Create(parsed.GetValue(JsonOption), parsed.GetValue(VerboseOption));
        var verb = new Verb(parsed, output, cancel);
        try
        {
            await action(verb);
            return (int)(verb.Ending ?? (output.Errors == 0 ? Exit.Done : Exit.Failed));
        }
        catch (Exception exception)
        {
            Failure failure = Failure.Of(exception, cancel.IsCancellationRequested);
            output.Error(failure, exception);
            return (int)(failure.Exit == Exit.Interrupted ? failure.Exit : verb.Ending ?? failure.Exit);
        }
    }
}
