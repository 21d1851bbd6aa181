using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using ZeroStor.CommandLine.Bench;
using ZeroStor.CommandLine.Dev;

namespace ZeroStor.CommandLine;

internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        using var stop = new CancellationTokenSource();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return await RunAsync(args, stop.Token);

        // The first signal asks the verb to clean up and end; a second one ends it as it is.
        void Stop(PosixSignalContext context)
        {
            context.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }

    internal static RootCommand MakeRoot()
    {
        var root = new RootCommand("""
            Puts and gets objects in a ZeroStor fabric.

            An object is named VAULT/KEY: a vault, and behind the first slash the key.

              zs vault create photos --code 20+4
              zs put sea.jpg photos/2024/
              zs get photos/2024/sea.jpg copy.jpg
              zs ls -l photos/2024/

            Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no silo reachable, 4 not found,
            5 precondition failed, 130 interrupted.
            """)
        {
            VaultVerbs.Make(),
            KeyVerbs.Make(),
            AccessVerbs.Make(),
            PutVerb.Make(),
            GetVerb.Make(),
            ObjectVerbs.MakeList(),
            ObjectVerbs.MakeRemove(),
            ObjectVerbs.MakeStat(),
            UploadVerbs.Make(),
            StatusVerb.Make(),
            RepairVerb.Make(),
            CensusVerb.Make(),
            CatalogVerbs.Make(),
            SiloVerbs.Make(),
            DiskVerbs.Make(),
            ScrubVerb.Make(),
            BenchVerb.Make(),
            DevVerbs.Make(),
        };
        root.Add(Verb.GatewayOption);
        root.Add(Verb.KeyFileOption);
        root.Add(Verb.JsonOption);
        root.Add(Verb.VerboseOption);
        TaughtCommand.TeachHelp(root);
        return root;
    }

    internal static async Task<int> RunAsync(string[] args, CancellationToken cancel)
    {
        // A file may be called @x: no argument is read as the name of a file of arguments.
        ParseResult parsed = MakeRoot().Parse(
            args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction)
        {
            // Told here, since the library would print its help as well and end with 1.
            Output.Create(args.Contains(Verb.JsonOption.Name), isVerbose: false).Error(new Failure(
                nameof(ErrorKind.InvalidArgument), Explain(parsed), Exit.Usage));
            return (int)Exit.Usage;
        }

        return await parsed.InvokeAsync(
            new InvocationConfiguration
            {
                ProcessTerminationTimeout = null,
                EnableDefaultExceptionHandler = false,
            },
            cancel);
    }

    private static string Explain(ParseResult parsed)
    {
        string command = string.Join(
            ' ', Enumerable.Reverse([.. PathOf(parsed.CommandResult)]));
        string what = parsed.UnmatchedTokens.Count > 0
            ? $"'{parsed.UnmatchedTokens[0]}' means nothing to '{command}'"
            : parsed.Errors[0].Message.TrimEnd('.');
        return $"{what}; see '{command} --help'.";

        static IEnumerable<string> PathOf(CommandResult? at)
        {
            for (; at is not null; at = at.Parent as CommandResult)
            {
                yield return at.Command is RootCommand ? "zs" : at.Command.Name;
            }
        }
    }
}
