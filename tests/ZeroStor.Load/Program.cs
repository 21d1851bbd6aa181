using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ZeroStor.Client;

namespace ZeroStor.Load;

/// <summary>Load for the scripts of <c>tests/real</c>: puts objects, gets them while whatever the script wants
/// happens to the fabric, and tells in JSON what came of it. Exit code 0: nothing failed or differed; 1:
/// something did.</summary>
internal static class Program
{
    private static readonly Argument<string> ListArgument = new("list")
    {
        Description = "File of what was acknowledged: a line per object; made where it is not there",
    };

    private static readonly Option<string> Gateways = new("--gateway")
    {
        Description = "HOST:PORT[,HOST:PORT...]; else $ZS_GATEWAY",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ZS_GATEWAY") ?? "127.0.0.1:30000",
    };

    private static readonly Option<string> VaultName = new("--vault") { DefaultValueFactory = _ => "default" };

    private static readonly Option<int> Seed = new("--seed") { DefaultValueFactory = _ => 1 };

    private static readonly Option<int> Objects = new("--objects")
    {
        Description = "How many are put", DefaultValueFactory = _ => 10_000,
    };

    private static readonly Option<long> Bytes = new("--bytes")
    {
        Description = "Size of all that are put, or of those that are got; 0: log-normal, 1 KiB to 64 MiB; any",
    };

    private static readonly Option<int> Putters = new("--putters") { DefaultValueFactory = _ => 4 };

    private static readonly Option<int> Getters = new("--getters") { DefaultValueFactory = _ => 4 };

    private static readonly Option<string> Stop = new("--stop")
    {
        Description = "Ends when this file is there", Required = true,
    };

    private static readonly Option<int> Gets = new("--gets")
    {
        Description = "Goes on behind the stop until so many gets were made",
    };

    private static readonly TimeSpan StopLook = TimeSpan.FromMilliseconds(200);

    public static Task<int> Main(string[] args)
    {
        var root = new RootCommand("Puts objects, gets them, and tells what failed, what differed and how long it took.")
        {
            Make("fill", "Puts so many objects.", [Objects, Bytes, Seed, Putters], FillAsync),
            Make("run", "Puts and gets until it is told to stop.", [Stop, Gets, Bytes, Seed, Putters, Getters], RunAsync),
            Make("verify", "Gets all that was acknowledged, once.", [Getters], VerifyAsync),
            MakeSearch(),
        };
        return root.Parse(args).InvokeAsync();
    }

    private static Command MakeSearch()
    {
        var content = new Argument<string>("content") { Description = "File whose bytes are looked for" };
        var paths = new Argument<string[]>("path") { Description = "Files and folders to look in", Arity = ArgumentArity.OneOrMore };
        var command = new Command("search", "Tells how many 32-byte slices of a content lie in files: {hits, bytes, files}.")
        {
            content, paths,
        };
        command.SetAction(parsed =>
        {
            var search = new ContentSearch(File.ReadAllBytes(parsed.GetRequiredValue(content)));
            string[] files =
            [
                .. parsed.GetRequiredValue(paths).SelectMany(p => Directory.Exists(p)
                    ? Directory.EnumerateFiles(p, "*", SearchOption.AllDirectories)
                    : [p]),
            ];
            long hits = files.Sum(search.Count);
            Console.WriteLine(JsonSerializer.Serialize(
                new { hits, bytes = search.SearchedBytes, files = files.Length }));
        });
        return command;
    }

    private static Command Make(
        string name, string help, Option[] options, Func<ParseResult, Work, Acknowledged, CancellationToken, Task> work)
    {
        var command = new Command(name, help) { ListArgument, Gateways, VaultName };
        foreach (Option option in options)
        {
            command.Add(option);
        }

        command.SetAction(async (parsed, cancel) =>
        {
            using Acknowledged acknowledged = Acknowledged.Open(parsed.GetValue(ListArgument)!);
            await using ZeroStorClient client = await ZeroStorClient.ConnectAsync(
                options =>
                {
                    foreach (string gateway in parsed.GetValue(Gateways)!.Split(','))
                    {
                        options.Gateways.Add(gateway);
                    }
                },
                cancel);
            var done = new Work(client.Vault(parsed.GetValue(VaultName)!), acknowledged, TimeProvider.System);
            long began = TimeProvider.System.GetTimestamp();
            await work(parsed, done, acknowledged, cancel);
            Tell(done, TimeProvider.System.GetElapsedTime(began));
            return done.Puts.Wrong + done.Gets.Wrong == 0 ? 0 : 1;
        });
        return command;
    }

    private static async Task FillAsync(
        ParseResult parsed, Work work, Acknowledged acknowledged, CancellationToken cancel)
    {
        var random = new Random(parsed.GetValue(Seed));
        var sizes = new Sizes(parsed.GetValue(Bytes));
        (string Key, Content Content)[] objects =
            [.. Enumerable.Range(0, parsed.GetValue(Objects)).Select(i => Next(random, sizes, parsed.GetValue(Seed), i))];
        await Parallel.ForEachAsync(
            objects,
            new ParallelOptions { MaxDegreeOfParallelism = parsed.GetValue(Putters), CancellationToken = cancel },
            async (o, token) => await work.PutAsync(o.Key, o.Content, token));
    }

    private static Task RunAsync(
        ParseResult parsed, Work work, Acknowledged acknowledged, CancellationToken cancel)
    {
        string stop = parsed.GetValue(Stop)!;
        int gets = parsed.GetValue(Gets);
        int seed = parsed.GetValue(Seed);
        long wanted = parsed.GetValue(Bytes);
        IEnumerable<Task> putters = Enumerable.Range(0, parsed.GetValue(Putters)).Select(p => Task.Run(
            async () =>
            {
                var random = new Random(seed + (1000 * (p + 1)) + 7);
                for (int i = 0; GoesOn(); i++)
                {
                    (string key, Content content) = Next(random, new Sizes(wanted), seed, i);
                    await work.PutAsync($"{key}.{p}", content, cancel);
                }
            },
            cancel));
        IEnumerable<Task> getters = Enumerable.Range(0, parsed.GetValue(Getters)).Select(g => Task.Run(
            async () =>
            {
                var random = new Random(seed + (1000 * (g + 1)));
                while (GoesOn())
                {
                    if (acknowledged.Any(random, wanted) is { } one)
                    {
                        await work.GetAsync(one.Key, one.Content, cancel);
                    }
                    else
                    {
                        await Task.Delay(StopLook, cancel);
                    }
                }
            },
            cancel));
        return Task.WhenAll([.. putters, .. getters]);

        bool GoesOn() => work.Gets.Count < gets || !File.Exists(stop);
    }

    private static Task VerifyAsync(
        ParseResult parsed, Work work, Acknowledged acknowledged, CancellationToken cancel) =>
        Parallel.ForEachAsync(
            acknowledged.All(),
            new ParallelOptions { MaxDegreeOfParallelism = parsed.GetValue(Getters), CancellationToken = cancel },
            async (o, token) => await work.GetAsync(o.Key, o.Content, token));

    private static (string Key, Content Content) Next(Random random, Sizes sizes, int seed, int i) =>
        (string.Create(CultureInfo.InvariantCulture, $"load/{seed}/{i}"),
            new Content((ulong)random.NextInt64(), sizes.Next(random)));

    private static void Tell(Work work, TimeSpan took)
    {
        using var bytes = new MemoryStream();
        using (var w = new Utf8JsonWriter(bytes))
        {
            w.WriteStartObject();
            w.WriteNumber("seconds", Math.Round(took.TotalSeconds, 1));
            work.Puts.Write(w);
            work.Gets.Write(w);
            w.WriteEndObject();
        }

        Console.WriteLine(Encoding.UTF8.GetString(bytes.ToArray()));
    }
}
