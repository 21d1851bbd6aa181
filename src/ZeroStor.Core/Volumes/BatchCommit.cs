namespace ZeroStor.Volumes;

/// <summary>Makes a laid batch durable: writes it, syncs it (group commit), checks that the folder still is the
/// disk's own, and says so; whoever has the turn to lay then lets the contents know and answers. While one batch is
/// synced, another may be written, and is synced in its turn: a device does both at once. Whatever goes wrong ends the
/// disk's writing, never the process.</summary>
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
    /// <summary>Commits the batch; those who wait for it are still to be answered.</summary>
    /// <returns>Whether who calls has the turn to lay now.</returns>
    internal bool Run(WriteBatch batch)
    {
        HomeAnswer answer = Try(batch);
        batch.Release();
        return queue.EndWriting(new WrittenBatch(batch, answer));
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

        queue.BeginSyncing(batch);
        if (health.RefusesWrites is { } refusal)
        {
            return refusal;
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
        if (!IsStillOurs(batch))
        {
            health.Vanish($"{folder} or a volume in it was removed, cut or replaced while it was open");
            return health.RefusesWrites!;
        }

        return HomeAnswer.Done;
    }

    // After the sync, before the answer: bytes in a file without a name, or in a folder whose name leads
    // elsewhere, are as good as lost. The file is as long as the batch made it, or longer
    // by no more than the one behind it, which may be on its way.
    private bool IsStillOurs(WriteBatch batch)
    {
        FileIdentity file = batch.Volume.File.Identify();
        FileIdentity? named = files.Identify(DiskFolder.SuperblockPath(folder));
        return file.Links > 0
            && file.IsSameFile(batch.Volume.Identity)
            && file.Length >= batch.FileBytes
            && file.Length <= batch.Volume.MostFileBytes
            && named is { } found
            && found.IsSameFile(superblock.Identity);
    }
}
