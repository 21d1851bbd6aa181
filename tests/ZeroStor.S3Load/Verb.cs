using System.CommandLine;
using System.Text;
using System.Text.Json;

namespace ZeroStor.S3Load;

/// <summary>What all verbs have in common: whom they ask, a seed, and a line of JSON that tells what came of
/// it.</summary>
internal static class Verb
{
    private static readonly Option<string> Url = new("--url")
    {
        Description = "Where S3 is answered", DefaultValueFactory = _ => "http://127.0.0.1:9000",
    };

    private static readonly Option<string> Credentials = new("--credentials")
    {
        Description = "File with an access key, as the silo keeps it in keys/s3-credentials", Required = true,
    };

    private static readonly Option<int> Seed = new("--seed") { DefaultValueFactory = _ => 1 };

    private static readonly Option<int?> Pid = new("--pid")
    {
        Description = "The silo's process, where what it takes shall be told",
    };

    /// <param name="name">Of the verb.</param>
    /// <param name="help">What it does.</param>
    /// <param name="own">Options of its own.</param>
    /// <param name="runAsync">Whether all was right.</param>
    public static Command Make(
        string name, string help, Option[] own, Func<Run, CancellationToken, Task<bool>> runAsync)
    {
        var command = new Command(name, help) { Url, Credentials, Seed, Pid };
        foreach (Option option in own)
        {
            command.Add(option);
        }

        command.SetAction(async (parsed, cancel) => await runAsync(
            new Run(
                parsed,
                Target.Read(new Uri(parsed.GetValue(Url)!), parsed.GetValue(Credentials)!),
                parsed.GetValue(Seed),
                parsed.GetValue(Pid) is { } pid ? new SiloProcess(pid) : null),
            cancel) ? 0 : 1);
        return command;
    }
}

/// <summary>One run of a verb.</summary>
/// <param name="Parsed">For the verb's own options.</param>
/// <param name="Target">Whom it asks.</param>
/// <param name="Seed">What all its choices come from.</param>
/// <param name="Silo">Null: its process was not named.</param>
internal sealed record Run(ParseResult Parsed, Target Target, int Seed, SiloProcess? Silo)
{
    public void Tell(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var w = new Utf8JsonWriter(bytes))
        {
            w.WriteStartObject();
            w.WriteString("verb", Parsed.CommandResult.Command.Name);
            write(w);
            w.WriteEndObject();
        }

        Console.WriteLine(Encoding.UTF8.GetString(bytes.ToArray()));
    }
}
