using ZeroStor;
using ZeroStor.Benchmarks;

// One measurement a verb. Each measures the limit that it is held against in the same run.
Verb[] verbs =
[
    AppendBenchmark.Verb, CodecBenchmark.Verb, CopiesBenchmark.Verb, KemPeer.Verb, KeysBenchmark.Verb,
    PipelineBenchmark.Verb, RestartBenchmark.Verb, ScrubBenchmark.Verb,
];

Verb? verb = verbs.FirstOrDefault(v => args.Length > 0 && v.Name == args[0]);
if (verb is null || args.Contains("--help"))
{
    Verb[] told = verb is null ? verbs : [verb];
    Console.WriteLine("usage: dotnet run -c Release --project tests/ZeroStor.Benchmarks -- VERB [OPTIONS]\n");
    foreach (Verb each in told)
    {
        Console.WriteLine($"{each.Name} {each.Options}\n{each.Help}\n");
    }

    return args.Length > 0 && verb is null && !args.Contains("--help") ? 2 : 0;
}

try
{
    verb.Run(new Options(args[1..], verb));
    return 0;
}
catch (ZeroStorException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 2;
}
