using System.CommandLine;
using ZeroStor.Client;

namespace ZeroStor.CommandLine;

/// <summary><c>zs put</c>: a file, standard input, or a folder.</summary>
internal static class PutVerb
{
    /// <summary>Small files put at once: hides the round trips of each.</summary>
    private const int PutsAtOnce = 16;

    /// <summary>Files of more than a stripe put at once: each holds several stripes of up to 4 MiB.</summary>
    private const int LargePutsAtOnce = 3;

    public static Command Make()
    {
        var source = new Argument<string>("FILE")
        {
            Description = "A file, - for standard input; with -r a folder",
        };
        var target = new Argument<string>("VAULT/KEY")
        {
            Description = "Where to; VAULT/ or VAULT/PREFIX/ keeps the file's name",
        };
        var recursive = new Option<bool>("-r")
        {
            Description = "Put what the folder holds, its names joined by / behind the prefix. Links are "
                + "followed; an empty folder becomes a zero-length key that ends in /",
        };
        return Verb.Make("put", """
            Puts a file, standard input, or a folder. Nothing shows before all of an object is durable.

              zs put sea.jpg photos/2024/sea.jpg
              zs put sea.jpg photos/2024/
              tar c . | zs put - backup/monday.tar
              zs put -r site www/site
            """, [source, target, recursive], verb =>
        {
            string from = verb.Arguments.GetRequiredValue(source);
            string to = verb.Arguments.GetRequiredValue(target);
            return verb.Arguments.GetValue(recursive)
                ? PutFolderAsync(verb, from, Target.Parse(to))
                : PutOneAsync(verb, from, Target.ForPut(from, to));
        });
    }

    private static async Task PutOneAsync(Verb verb, string file, Target target)
    {
        await using Stream content = file == "-" ? StandardStreams.OpenInput() : OpenFile(file);
        long? size = content.CanSeek ? content.Length : null;
        await using ZeroStorClient client = await verb.ConnectAsync();
        var done = new Counter();
        ObjectVersion version;
        using (verb.Output.Progress(target.ToString(), size, () => done.Bytes))
        {
            version = await client.Vault(target.Vault).PutAsync(
                target.Key, content, new PutOptions { Progress = done }, verb.Cancel);
        }

        verb.Output.Line($"Put {target}: {Text.Bytes(version.Size)}.");
        if (version.ShortStripes > 0)
        {
            verb.Output.Line(
                $"{version.ShortStripes} of its stripes lack shards: disks were down. Repair makes them.");
        }

        verb.Output.Json(w =>
        {
            w.WriteString("vault", target.Vault);
            ObjectVerbs.Write(w, version);
            w.WriteNumber("shortStripes", version.ShortStripes);
        });
    }

    private static async Task PutFolderAsync(Verb verb, string folder, Target target)
    {
        IEnumerable<FolderWalk.Found> found = FolderWalk.Of(folder, failure => Report(verb, failure));
        await using ZeroStorClient client = await verb.ConnectAsync();
        Vault vault = client.Vault(target.Vault);
        await vault.DescribeAsync(verb.Cancel);
        var done = new Counter();
        long objects = 0;
        long bytes = 0;
        using var large = new SemaphoreSlim(LargePutsAtOnce);
        using (verb.Output.Progress(target.ToString(), null, () => done.Bytes))
        {
            await Parallel.ForEachAsync(
                // An empty folder put at the top of a vault has no key that could stand for it.
                found.Where(f => target.Folder.Length + f.Relative.Length > 0),
                new ParallelOptions { MaxDegreeOfParallelism = PutsAtOnce, CancellationToken = verb.Cancel },
                async (one, cancel) =>
                {
                    try
                    {
                        ObjectVersion version = await PutFoundAsync(
                            vault, LocalPaths.KeyOf(target.Folder, one.Relative), one, large, done, cancel);
                        Interlocked.Increment(ref objects);
                        Interlocked.Add(ref bytes, version.Size);
                    }
                    catch (Exception failure) when (Failure.IsOfOneObject(failure))
                    {
                        Report(verb, failure);
                    }
                });
        }

        verb.Output.Line($"Put {objects} objects into {target}: {Text.Bytes(bytes)}.");
        verb.Output.Json(w =>
        {
            w.WriteString("vault", target.Vault);
            w.WriteString("prefix", target.Folder);
            w.WriteNumber("objects", objects);
            w.WriteNumber("bytes", bytes);
            w.WriteNumber("errors", verb.Output.Errors);
        });
    }

    private static async Task<ObjectVersion> PutFoundAsync(
        Vault vault,
        string key,
        FolderWalk.Found found,
        SemaphoreSlim large,
        Counter done,
        CancellationToken cancel)
    {
        await using Stream content = found.IsEmptyFolder ? Stream.Null : OpenFile(found.Path);
        bool isLarge = content.Length > Geometry.MaxStripeBytes;
        if (isLarge)
        {
            await large.WaitAsync(cancel);
        }

        try
        {
            return await vault.PutAsync(key, content, new PutOptions { Progress = done.OfOne() }, cancel);
        }
        finally
        {
            if (isLarge)
            {
                large.Release();
            }
        }
    }

    private static FileStream OpenFile(string path)
    {
        FileKind kind = FileKind.Of(path);
        if (!kind.IsFile)
        {
            throw new IOException(kind.IsFolder
                ? $"'{path}' is a folder: say -r to put what it holds."
                : $"'{path}' is {kind.Name}: only files and folders can be put.");
        }

        // Unbuffered: the SDK reads straight into the pieces that travel.
        return new FileStream(path, new FileStreamOptions
        {
            BufferSize = 0,
            Share = FileShare.ReadWrite | FileShare.Delete,
            Options = FileOptions.SequentialScan | FileOptions.Asynchronous,
        });
    }

    private static void Report(Verb verb, Exception failure) =>
        verb.Output.Error(Failure.Of(failure, isInterrupted: false), failure);

    /// <summary>Durable bytes, over one put or many.</summary>
    private sealed class Counter : IProgress<long>
    {
        private long _bytes;

        public long Bytes => Interlocked.Read(ref _bytes);

        public void Report(long value) => Interlocked.Exchange(ref _bytes, value);

        /// <summary>A part that adds itself to this.</summary>
        public IProgress<long> OfOne() => new Part(this);

        private sealed class Part(Counter whole) : IProgress<long>
        {
            private long _told;

            public void Report(long value) =>
                Interlocked.Add(ref whole._bytes, value - Interlocked.Exchange(ref _told, value));
        }
    }
}
