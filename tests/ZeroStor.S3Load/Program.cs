using System.CommandLine;

namespace ZeroStor.S3Load;

/// <summary>Foreign clients and load for the scripts of <c>tests/real</c>, against an S3 front end. Each verb
/// tells in a line of JSON what came of it. Exit code 0: all was right; 1: something was not.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args)
    {
        var root = new RootCommand("Tries an S3 front end with foreign clients, bad requests and load.")
        {
            MixedLoad.Make(),
            MalformedLoad.Make(),
            ThroughputMeasure.Make(),
            LargeUpload.Make(),
            MinioTrips.Make(),
        };
        return root.Parse(args).InvokeAsync();
    }
}
