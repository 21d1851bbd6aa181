namespace ZeroStor.Volumes;

/// <summary>Makes a laid batch durable: writes and syncs it at once (group commit), checks that the folder
/// still is the disk's own, lets the contents know, and only then answers. One batch at a time; whatever goes
/// wrong ends the disk's writing, never the process.</summary>
internal sealed class BatchCommit(
    IDiskFiles files,
    string folder,
    DiskOptions options,
    SuperblockFile superblock,
    DiskContents contents,
    DiskHealth health,
    WriteQueue queue,
    TimeProvider time)
{
    /// <summary>Commits the batch and answers whoever waits for it.</summary>
    /// <returns>Whether who calls has the turn to lay now.</returns>
    internal bool Run(WriteBatch batch)
    {
        HomeAnswer answer = Try(batch);
        batch.Release();
        bool hasTurn = queue.EndWriting();
        queue.Finish(batch.Items, answer);
        return hasTurn;
    }

    private HomeAnswer Try(WriteBatch batch)
    {
        try
        {
            return health.RefusesWrites ?? Commit(batch);
        }
#pragma warning disable CA1031 // An unforeseen failure, too, ends the disk's writing and answers who waits.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return health.Refuse(e);
        }
    }

    // Done when the batch is durable; else why not.
    private HomeAnswer Commit(WriteBatch batch)
    {
        try
        {
            batch.Write();
        }
        catch (OsException e) when (e.IsNoSpace)
        {
            health.FailFor(() => batch.Volume.Undo(batch.Start));
            return health.Full();
        }

        if (options.Planted.HasFlag(PlantedDefects.AnswersBeforeSync))
        {
            batch.Apply(contents);
            queue.Finish(batch.Items, HomeAnswer.Done);
            batch.Items.Clear();
            health.FailFor(batch.Volume.File.Sync);
            return HomeAnswer.Done;
        }

        long began = time.GetTimestamp();
        if (!(batch.IsLaidAhead && options.Planted.HasFlag(PlantedDefects.AnswersByEarlierSync)))
        {
            health.FailFor(batch.Volume.File.Sync);
        }

        options.Observer?.Synced(superblock.Current.Disk, batch.Bytes, time.GetElapsedTime(began));
        if (!IsStillOurs(batch.Volume))
        {
            health.Vanish($"{folder} or a volume in it was removed, cut or replaced while it was open");
            return health.RefusesWrites!;
        }

        batch.Apply(contents);
        return HomeAnswer.Done;
    }

    // After the sync, before the answer: bytes in a file without a name, or in a folder whose name leads
    // elsewhere, are as good as lost.
    private bool IsStillOurs(Volume volume)
    {
        FileIdentity file = volume.File.Identify();
        FileIdentity? named = files.Identify(DiskFolder.SuperblockPath(folder));
        return file.Links > 0
            && file.IsSameFile(volume.Identity)
            && file.Length == volume.FileBytes
            && named is { } found
            && found.IsSameFile(superblock.Identity);
    }
}
