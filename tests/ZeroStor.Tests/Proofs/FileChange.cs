using ZeroStor.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>One entry of a journal: a change of files, or a word on changes before it.</summary>
internal abstract record FileChange
{
    internal virtual void Apply(ImageBuilder image)
    {
    }
}

/// <summary>Bytes written to a file.</summary>
internal sealed record Written(ulong Inode, string Path, long At, byte[] Bytes) : FileChange
{
    internal override void Apply(ImageBuilder image) => image.Write(Inode, At, Bytes);
}

internal sealed record Truncated(ulong Inode, long Length) : FileChange
{
    internal override void Apply(ImageBuilder image) => image.Resize(Inode, Length);
}

/// <summary>The length that a write gave to a file, without what it wrote: in new blocks stands what stood in
/// them in their life before, or zeros.</summary>
internal sealed record Lengthened(ulong Inode, long Length, byte[] LifeBefore) : FileChange
{
    internal override void Apply(ImageBuilder image)
    {
        int old = image.Read(Inode).Length;
        if (old >= Length)
        {
            return;
        }

        // The rest of the last block is cleared by whoever lengthens a file.
        image.Resize(Inode, Length);
        int first = (int)RecordFormat.AlignBlock(old);
        int end = (int)Math.Min(Length, LifeBefore.Length);
        if (end > first)
        {
            image.Write(Inode, first, LifeBefore.AsSpan(first..end));
        }
    }
}

/// <summary>A name that came, went or changed.</summary>
internal sealed record Renamed(string? From, string? To, ulong Inode) : FileChange
{
    internal string Folder => Path.GetDirectoryName(From ?? To!)!;

    internal override void Apply(ImageBuilder image)
    {
        if (From is not null)
        {
            image.Names.Remove(From);
        }

        if (To is not null)
        {
            image.Names[To] = Inode;
            image.Make(Inode);
        }
    }
}

/// <summary>A folder, durable at once.</summary>
internal sealed record FolderMade(string Path) : FileChange
{
    internal override void Apply(ImageBuilder image) => image.Folders = image.Folders.Add(Path);
}

/// <summary>What was done to a file or in a folder before this is durable.</summary>
internal abstract record Barrier : FileChange
{
    internal abstract bool Covers(FileChange change);
}

/// <param name="Inode">Of the file.</param>
/// <param name="Meanwhile">What was done when the sync had begun already: of that it promises nothing.</param>
internal sealed record FileSynced(ulong Inode, IReadOnlyList<FileChange> Meanwhile) : Barrier
{
    internal override bool Covers(FileChange change) =>
        ((change is Written w && w.Inode == Inode) || (change is Truncated t && t.Inode == Inode))
        && !Meanwhile.Any(m => ReferenceEquals(m, change));
}

internal sealed record FolderSynced(string Folder) : Barrier
{
    internal override bool Covers(FileChange change) => change is Renamed r && r.Folder == Folder;
}

/// <summary>What the disk owes from here on, in whatever state its files are found.</summary>
internal sealed record Owed(DiskDebt Debt) : FileChange;
